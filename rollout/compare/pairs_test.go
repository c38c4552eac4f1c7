package compare

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/rollout"
)

// pairs is a block of testdata/pairs.txt.
type goldenPair struct {
	name            string
	rules           []Rule
	primary, shadow rollout.Answer
	class           string
	want            []string
	matches         string
}

func goldenPairs(t testing.TB) []*goldenPair {
	t.Helper()
	file, err := os.Open("testdata/pairs.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []*goldenPair
	for lines := bufio.NewScanner(file); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		if word == "" || word == "#" || len(all) == 0 && word != "==" {
			continue
		}
		if word == "==" {
			p := &goldenPair{name: rest, primary: jsonAnswer(""), shadow: jsonAnswer("")}
			all = append(all, p)
			continue
		}
		all[len(all)-1].line(t, word, rest)
	}
	return all
}

func jsonAnswer(body string) rollout.Answer {
	return rollout.Answer{Status: 200, Header: map[string][]string{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

func (p *goldenPair) line(t testing.TB, word, rest string) {
	t.Helper()
	switch fields := strings.Fields(rest); word {
	case "rule":
		p.rules = append(p.rules, goldenRule(fields))
	case "status":
		p.primary.Status, _ = strconv.Atoi(fields[0])
		p.shadow.Status, _ = strconv.Atoi(fields[1])
	case "type":
		at := strings.LastIndexByte(rest, ' ')
		p.primary.Header = map[string][]string{"Content-Type": {rest[:at]}}
		if p.shadow.Header = nil; rest[at+1:] != "-" {
			p.shadow.Header = map[string][]string{"Content-Type": {rest[at+1:]}}
		}
	case "primary":
		p.primary.Body = []byte(strings.TrimSpace(rest))
	case "shadow":
		p.shadow.Body = []byte(strings.TrimSpace(rest))
	case "class":
		p.class = rest
	case "want":
		p.want = append(p.want, rest)
	case "matches":
		p.matches = rest
	default:
		t.Fatalf("%s: %q", p.name, word)
	}
}

func goldenRule(fields []string) Rule {
	fields = append(fields, "", "", "")
	rule := Rule{Effect: Effect(slices.Index(effects[:], fields[0])), Pattern: fields[1]}
	rule.Absolute, _ = strconv.ParseFloat(fields[2], 64)
	rule.Relative, _ = strconv.ParseFloat(fields[3], 64)
	return rule
}

func inWords(differences []Difference) (words []string) {
	for _, d := range differences {
		pointer := d.Pointer
		if d.ShadowPointer != "" {
			pointer += ">" + d.ShadowPointer
		}
		words = append(words, fmt.Sprintf("%s %s %s", d.Kind, pointer, d.Pattern))
	}
	slices.Sort(words)
	return words
}

func TestGoldenPairs(t *testing.T) {
	seen := map[string]bool{}
	for _, pair := range goldenPairs(t) {
		if seen[pair.name] {
			t.Errorf("two pairs are called %q", pair.name)
		}
		seen[pair.name] = true
		t.Run(strings.ReplaceAll(pair.name, " ", "-"), func(t *testing.T) { pair.check(t) })
	}
	if len(seen) < 50 {
		t.Errorf("only %d pairs were read", len(seen))
	}
}

func (p *goldenPair) check(t *testing.T) {
	comparer, err := New(Config{Rules: p.rules})
	if err != nil {
		t.Fatal(err)
	}
	class := p.class
	if class == "" {
		class = map[bool]string{true: "agree", false: "mismatch"}[len(p.want) == 0]
	}
	got := comparer.Compare(p.primary, p.shadow)
	if got.Class.String() != class {
		t.Errorf("class %s, want %s (%v)", got.Class, class, got.Err)
	}
	slices.Sort(p.want)
	if words := inWords(got.Differences); !slices.Equal(words, p.want) {
		t.Errorf("got\n\t%q\nwant\n\t%q", words, p.want)
	}
	if matches := strings.Trim(fmt.Sprint(got.Matches), "[]"); p.matches != "" && matches != p.matches {
		t.Errorf("the rules matched %s, want %s", matches, p.matches)
	}
	mirrored(t, got, comparer.Compare(p.shadow, p.primary))
	for _, answer := range []rollout.Answer{p.primary, p.shadow} {
		same := comparer.Compare(answer, answer)
		if same.Total != 0 || same.Class != ClassAgree && same.Class != ClassSkipped {
			t.Errorf("compared with itself: %s %q", same.Class, inWords(same.Differences))
		}
	}
}

// mirrored complains unless the second comparison is the first with its sides
// exchanged.
func mirrored(t testing.TB, a, b Comparison) {
	t.Helper()
	if a.Class != b.Class || a.Why != b.Why || a.Total != b.Total || !slices.Equal(a.Patterns, b.Patterns) ||
		a.MorePatterns != b.MorePatterns || !slices.Equal(a.Matches, b.Matches) {
		t.Fatalf("not symmetric:\n%+v\n%+v", a, b)
	}
	if a.Total > uint64(len(a.Differences)) {
		return // which ones are kept may depend on the side
	}
	swapped := make([]Difference, len(b.Differences))
	for i, d := range b.Differences {
		if d.ShadowPointer != "" {
			d.Pointer, d.ShadowPointer = d.ShadowPointer, d.Pointer
		}
		switch d.Kind {
		case KindMissing:
			d.Kind = KindExtra
		case KindExtra:
			d.Kind = KindMissing
		}
		d.Primary, d.Shadow = d.Shadow, d.Primary
		swapped[i] = d
	}
	order := func(list []Difference) []string {
		var lines []string
		for _, d := range list {
			lines = append(lines, fmt.Sprintf("%+v", d))
		}
		slices.Sort(lines)
		return lines
	}
	if x, y := order(a.Differences), order(swapped); !slices.Equal(x, y) {
		t.Fatalf("not symmetric:\n%q\n%q", x, y)
	}
}
