package compare

import (
	"bytes"
	"math/big"
	"strconv"
)

// decimal is a JSON number's value: the digits of whole and then fraction, times
// ten to the exponent. There are no zeros at either end of the digits, so equal
// values have equal decimals but for where whole ends. Zero has no digits.
type decimal struct {
	negative        bool
	whole, fraction []byte
	exponent        int64
	// far is set instead of the exponent if that has more than 18 digits: the
	// number's spelling.
	far []byte
}

func decimalOf(spelling []byte) decimal {
	d := decimal{whole: spelling}
	d.negative = spelling[0] == '-'
	d.whole = bytes.TrimPrefix(d.whole, []byte("-"))
	exponent, fits := int64(0), true
	for at, c := range d.whole {
		if c == 'e' || c == 'E' {
			exponent, fits = exponentOf(d.whole[at+1:])
			d.whole = d.whole[:at]
			break
		}
	}
	d.whole, d.fraction, _ = bytes.Cut(d.whole, []byte("."))
	d.whole = bytes.TrimLeft(d.whole, "0")
	d.fraction = bytes.TrimRight(d.fraction, "0")
	d.exponent = exponent - int64(len(d.fraction))
	if len(d.whole) == 0 {
		d.fraction = bytes.TrimLeft(d.fraction, "0")
	}
	if len(d.fraction) == 0 {
		digits := len(d.whole)
		d.whole = bytes.TrimRight(d.whole, "0")
		d.exponent += int64(digits - len(d.whole))
	}
	switch {
	case len(d.whole)+len(d.fraction) == 0:
		return decimal{}
	case !fits:
		d.far = spelling
	}
	return d
}

// exponentOf reads an exponent; false if it has more than 18 digits.
func exponentOf(text []byte) (int64, bool) {
	digits := bytes.TrimLeft(bytes.TrimLeft(text, "+-"), "0")
	if len(digits) > 18 {
		return 0, false
	}
	exponent := int64(0)
	for _, c := range digits {
		exponent = exponent*10 + int64(c-'0')
	}
	if text[0] == '-' {
		exponent = -exponent
	}
	return exponent, true
}

// sameNumber reports whether two numbers have the same value.
func sameNumber(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, y := decimalOf(a), decimalOf(b)
	if x.far != nil || y.far != nil {
		return false
	}
	return x.negative == y.negative && x.exponent == y.exponent && sameDigits(x, y)
}

func sameDigits(x, y decimal) bool {
	if len(x.whole) > len(y.whole) {
		x, y = y, x
	}
	if len(x.whole)+len(x.fraction) != len(y.whole)+len(y.fraction) {
		return false
	}
	head, more := y.whole[:len(x.whole)], y.whole[len(x.whole):]
	return bytes.Equal(x.whole, head) &&
		bytes.Equal(x.fraction[:len(more)], more) && bytes.Equal(x.fraction[len(more):], y.fraction)
}

// reach is the longest spelling, and the largest exponent, of numbers that a
// tolerance can bring together.
const reach = 400

// rational returns the number, exactly; nil if it is out of reach.
func rational(spelling []byte) *big.Rat {
	if d := decimalOf(spelling); len(spelling) > reach || d.far != nil || max(d.exponent, -d.exponent) > reach {
		return nil
	}
	value, ok := new(big.Rat).SetString(string(spelling))
	if !ok {
		return nil
	}
	return value
}

// exact returns the number that the decimal spelling of f stands for: 0.1 is a
// tenth. It is nil for 0.
func exact(f float64) *big.Rat {
	if f == 0 {
		return nil
	}
	value, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return value
}
