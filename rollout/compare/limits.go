package compare

// Limits bound what one comparison costs and keeps. Bodies beyond Bytes, Depth or
// Values are not compared unless they are equal byte for byte.
type Limits struct {
	// Bytes is the longest body.
	Bytes int
	// Decoded is how long a body may become whose Content-Encoding is undone.
	Decoded int
	// Depth is how deep arrays and objects may nest.
	Depth int
	// Values is how many values and member names a body may have. Each takes 16
	// bytes while the comparison lasts, 8 more where arrays are searched.
	Values int
	// Differences is how many are kept of one comparison.
	Differences int
	// Patterns is how many fields are told apart in one comparison.
	Patterns int
	// Shown is how much is kept of a value that differs, in bytes.
	Shown int
}

// DefaultLimits returns the limits that hold unless others are set: 64 MiB, of
// which 4 MiB once a coding is undone; 200 deep,
// a million values; 100 differences, 256 fields, 200 bytes of each value.
func DefaultLimits() Limits {
	return Limits{Bytes: 64 << 20, Decoded: 4 << 20, Depth: 200, Values: 1 << 20, Differences: 100, Patterns: 256, Shown: 200}
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	for _, field := range []struct{ set, instead *int }{
		{&l.Bytes, &d.Bytes}, {&l.Decoded, &d.Decoded}, {&l.Depth, &d.Depth}, {&l.Values, &d.Values},
		{&l.Differences, &d.Differences}, {&l.Patterns, &d.Patterns}, {&l.Shown, &d.Shown},
	} {
		if *field.set <= 0 {
			*field.set = *field.instead
		}
	}
	return l
}
