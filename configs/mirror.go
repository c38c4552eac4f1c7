package configs

import (
	"fmt"
	"strings"
	"time"
)

// Shadow says how documents that legacy serves are mirrored and compared; how many
// are is the flag temporal-shadow-percentage.
type Shadow struct {
	// Pairs is the share of the mirrored documents that run twice, in percent. What
	// differs between two such runs is no mismatch.
	Pairs float64 `yaml:"pairs"`
	// Queue bounds the documents that wait to be mirrored, Budget the bytes of those
	// that wait or run, with their answers, and Largest those of one.
	Queue   int   `yaml:"queue"`
	Budget  Bytes `yaml:"budget"`
	Largest Bytes `yaml:"largest"`
	// Gather is how long documents are gathered that are then run together.
	Gather Duration `yaml:"gather"`
	// Parallel is how many run at one time, and how many of those that take long are
	// waited for.
	Parallel int `yaml:"parallel"`
	// Patience is how long a shadow run may take.
	Patience Duration `yaml:"patience"`
	Compare  Compare  `yaml:"compare"`
	// Redact are the fields whose values are neither kept nor logged, as patterns.
	Redact  []string `yaml:"redact"`
	Samples Samples  `yaml:"samples"`
	Limits  Limits   `yaml:"limits"`
}

// Compare says what is no difference between two answers. A pattern is a JSON
// Pointer in which * stands for any member or element and ** for any number of
// them.
type Compare struct {
	// Headers are the header fields that are compared, besides the status and the body.
	Headers []string `yaml:"headers"`
	// Ignore are places that are not compared, header:Name and status among them.
	Ignore []string `yaml:"ignore"`
	// Sets are arrays whose order does not count.
	Sets []string `yaml:"sets"`
	// Tolerances are numbers that may differ by a little.
	Tolerances []Tolerance `yaml:"tolerances"`
	// Noise are places that differ from run to run, whatever has been seen so far.
	Noise []string `yaml:"noise"`
}

// Tolerance is how far two numbers may be apart.
type Tolerance struct {
	Field string `yaml:"field"`
	// Absolute is a distance, Relative a share: 0.01 is one percent. One is enough.
	Absolute float64 `yaml:"absolute"`
	Relative float64 `yaml:"relative"`
}

// Samples bounds the comparisons that are kept because they differ.
type Samples struct {
	Count int   `yaml:"count"`
	Bytes Bytes `yaml:"bytes"`
}

// Limits are what a certificate proves.
type Limits struct {
	// Mismatch and Validity are the highest shares of comparisons, in percent, that
	// may differ in their results and in whether the document is valid.
	Mismatch float64 `yaml:"mismatch"`
	Validity float64 `yaml:"validity"`
	// Latency is how many times legacy's p99 the shadow's must stay below.
	Latency float64 `yaml:"latency"`
	// Uncompared is the highest share, in percent, that cannot be compared.
	Uncompared float64 `yaml:"uncompared"`
}

func defaultShadow() Shadow {
	return Shadow{
		Pairs: 10, Queue: 1000, Budget: 64 << 20, Largest: 4 << 20, Gather: Duration(2 * time.Second), Parallel: 16, Patience: Duration(time.Minute),
		Compare: Compare{Headers: []string{"Location", "ETag", "Content-Type"}, Ignore: []string{}, Sets: []string{}, Tolerances: []Tolerance{}, Noise: []string{}},
		Redact:  []string{},
		Samples: Samples{Count: 1000, Bytes: 64 << 20},
		Limits:  Limits{Mismatch: 1, Validity: 1, Latency: 2, Uncompared: 5},
	}
}

func validateMirror(s *Shadow, wrong complain) {
	wrong.percent("shadow.pairs", s.Pairs)
	wrong.atLeastOne("shadow.queue", s.Queue)
	wrong.positive("shadow.gather", s.Gather)
	wrong.atLeastOne("shadow.parallel", s.Parallel)
	wrong.positive("shadow.patience", s.Patience)
	if s.Largest < 1 {
		wrong("shadow.largest", "must be 1 byte or more")
	}
	if s.Budget < s.Largest {
		wrong("shadow.budget", "must not be less than shadow.largest")
	}
	for key, list := range map[string][]string{
		"shadow.compare.ignore": s.Compare.Ignore, "shadow.compare.sets": s.Compare.Sets,
		"shadow.compare.noise": s.Compare.Noise, "shadow.redact": s.Redact,
	} {
		for i, text := range list {
			if at := fmt.Sprintf("%s[%d]", key, i); key == "shadow.compare.sets" {
				wrong.pointer(at, text)
			} else {
				wrong.place(at, text)
			}
		}
	}
	for i, name := range s.Compare.Headers {
		wrong.place(fmt.Sprintf("shadow.compare.headers[%d]", i), "header:"+name)
	}
	for i, t := range s.Compare.Tolerances {
		key := fmt.Sprintf("shadow.compare.tolerances[%d]", i)
		wrong.pointer(key+".field", t.Field)
		if !(t.Absolute >= 0 && t.Relative >= 0 && t.Absolute+t.Relative > 0) {
			wrong(key, "absolute or relative must be above 0, and neither below")
		}
	}
	wrong.atLeastOne("shadow.samples.count", s.Samples.Count)
	wrong.percent("shadow.limits.mismatch", s.Limits.Mismatch)
	wrong.percent("shadow.limits.validity", s.Limits.Validity)
	wrong.percent("shadow.limits.uncompared", s.Limits.Uncompared)
	if !(s.Limits.Latency > 0) {
		wrong("shadow.limits.latency", "must be above 0: how many times legacy's p99 the shadow's may take")
	}
}

func (wrong complain) percent(key string, value float64) {
	if !(value >= 0 && value <= 100) {
		wrong(key, "%v is not a percentage from 0 to 100", value)
	}
}

func (wrong complain) atLeastOne(key string, value int) {
	if value < 1 {
		wrong(key, "must be 1 or more")
	}
}

// place complains of what is no place in an answer: status, header:Name or a pointer.
func (wrong complain) place(key, text string) {
	name, header := strings.CutPrefix(text, "header:")
	switch name = strings.TrimSpace(name); {
	case text == "status":
	case header && (name == "" || strings.ContainsAny(name, " \t/:*")):
		wrong(key, "%q is no header field: write header:Location", text)
	case !header:
		wrong.pointer(key, text)
	}
}

// pointer complains of what is no JSON Pointer (RFC 6901) with * and **.
func (wrong complain) pointer(key, text string) {
	const example = "%q is not a JSON Pointer such as /items/*/id: %s"
	if text == "" {
		wrong(key, example, text, "this one is the whole document")
		return
	}
	if text[0] != '/' {
		wrong(key, example, text, "it must begin with /")
	}
	for rest := text; ; {
		_, after, found := strings.Cut(rest, "~")
		if !found {
			return
		}
		if after == "" || after[0] < '0' || after[0] > '2' {
			wrong(key, example, text, "~ is written ~0")
			return
		}
		rest = after
	}
}
