package certificate

import (
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"testing"

	"sluice/rollout"
	"sluice/rollout/compare"
	"sluice/rollout/compare/cause"
	"sluice/rollout/compare/noise"
	"sluice/rollout/compare/tally"
)

// service answers documents, and differs in known ways at known rates.
type service struct {
	random *rand.Rand
	// split and lang are the rates of two planted differences, invalid the rate of
	// documents that only this service refuses.
	split, lang, invalid float64
}

func (s service) answer(doc int) rollout.Answer {
	answer := rollout.Answer{Status: 201, Header: map[string][]string{"Content-Type": {"application/json"}}}
	if s.random.Float64() < s.invalid {
		answer.Status, answer.Body = 422, []byte(`{"reason":"no"}`)
		return answer
	}
	flaky, lang, chunks := "calm", "en", fmt.Sprintf(`{"text":"a%d"},{"text":"b%d"}`, doc, doc)
	if s.random.Float64() < 0.3 {
		flaky = fmt.Sprint(s.random.IntN(1000))
	}
	if s.random.Float64() < s.split {
		chunks = fmt.Sprintf(`{"text":"a%db"},{"text":"%d"}`, doc, doc)
	}
	checksum := crc32.ChecksumIEEE([]byte(chunks))
	if s.random.Float64() < s.lang {
		lang = "de"
	}
	tags := []string{`"x"`, `"y"`, `"z"`}
	s.random.Shuffle(3, func(i, j int) { tags[i], tags[j] = tags[j], tags[i] })
	answer.Body = fmt.Appendf(nil, `{"run":"%x","doc":%d,"at":%d,"tags":[%s,%s,%s],"score":%.3f,"flaky":%q,"lang":%q,"chunks":[%s],"checksum":%d}`,
		s.random.Uint64(), doc, s.random.Uint64(), tags[0], tags[1], tags[2], 0.5+s.random.Float64()/500, flaky, lang, chunks, checksum)
	return answer
}

// mirror compares 2,000 documents of a legacy service with a shadow, and a fifth of
// the shadows with a second run.
func mirror(t *testing.T, seed uint64, split, lang, invalid float64) *tally.Route {
	t.Helper()
	comparer, err := compare.New(compare.Config{Rules: []compare.Rule{
		{Effect: compare.Ignore, Pattern: "/run"}, {Effect: compare.Set, Pattern: "/tags"},
		{Effect: compare.Tolerance, Pattern: "/score", Absolute: 0.002},
	}})
	if err != nil {
		t.Fatal(err)
	}
	legacy := service{rand.New(rand.NewPCG(seed, 1)), split, lang, invalid}
	shadow, route := service{random: rand.New(rand.NewPCG(seed, 2))}, &tally.Route{}
	var matches compare.Matches
	for doc := range 2000 {
		run := shadow.answer(doc)
		if doc%5 == 0 {
			route.AA.Add(comparer.Compare(run, shadow.answer(doc)))
		}
		c := comparer.Compare(legacy.answer(doc), run)
		matches = matches.Add(c.Matches)
		route.AB.Add(c)
	}
	if left := comparer.Unmatched(matches); len(left) > 0 {
		t.Errorf("rules that matched nothing: %v", left)
	}
	return route
}

// The whole of it: each planted difference is found, no noise is called one, the
// fields of one cause stand together, and the certificate follows the counts.
func TestPlantedDifferencesAreFound(t *testing.T) {
	for _, c := range []struct {
		name                 string
		split, lang, invalid float64
		mismatches           []string
		causes               string
		state                State
	}{
		{"nothing planted", 0, 0, 0, nil, "0 fields, 0 causes", Green},
		{"two differences", 0.02, 0.03, 0, []string{"/checksum", "/chunks/*/text", "/lang"}, "3 fields, 2 causes", Red},
		{"one is refused", 0, 0, 0.03, nil, "0 fields, 0 causes", Red},
		{"a little", 0, 0.0095, 0, []string{"/lang"}, "1 field, 1 cause", Pending},
	} {
		t.Run(c.name, func(t *testing.T) {
			route := mirror(t, 11, c.split, c.lang, c.invalid)
			report := noise.Judge(route, nil)
			var mismatches, noisy []string
			for _, f := range report.Fields {
				if f.Verdict.Counts() {
					mismatches = append(mismatches, f.Field)
				} else {
					noisy = append(noisy, f.Field)
				}
			}
			if !slices.Equal(mismatches, c.mismatches) || !slices.Equal(noisy, []string{"/at", "/flaky"}) {
				t.Errorf("mismatches %q, noise %q", mismatches, noisy)
			}
			if got := cause.Group("ingest", &route.AB, report.Counts); got.String() != c.causes {
				t.Errorf("%s: %+v", got, got)
			}
			evidence := enough()
			evidence.Compared, evidence.Judged = 0, 0
			evidence.Add(&route.AB, report)
			got := Make(evidence, DefaultLimits(), at())
			if got.State != c.state {
				t.Errorf("%s: %+v", got.State, got.Lines)
			}
			for _, l := range got.Lines[:2] {
				t.Logf("%s: %s: %s", l.Name, l.Proof, l.Words)
			}
		})
	}
}
