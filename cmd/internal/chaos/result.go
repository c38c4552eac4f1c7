package chaos

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/cmd/internal/chaos/faultproxy"
	"sluice/cmd/internal/chaos/ledger"
	"sluice/rollout"
)

// Result is what came of a run.
type Result struct {
	Config     Config
	Table      ledger.Table
	Violations []ledger.Violation
	// Open lists what did not settle.
	Open []string
	// Books are the gateways' own, which must balance too.
	Books rollout.Books
	// Running is how many workflows were open at the end.
	Running int
	// Shared counts documents with both paths at work at one time.
	Shared map[string]int
	// Acts counts what the harness did, Faults what happened on each link.
	Acts   map[string]int
	Faults map[string]map[string]int64
	// Load is how long the wishes took, Took the whole run.
	Load, Took time.Duration
	// Memory is the most that the harness had, in bytes: it holds the ledger,
	// the workflows and the legacy service.
	Memory int64

	ledger *ledger.Ledger
	marks  []ledger.Mark
}

// Doubles counts the wishes that were ingested twice by Sluice's doing.
func (r *Result) Doubles() (n int) {
	for _, v := range r.Violations {
		if v.Kind == ledger.BothPaths || v.Kind == ledger.TwiceTemporal || v.Kind == ledger.Repeated {
			n++
		}
	}
	return n
}

// Broken reports whether any promise was.
func (r *Result) Broken() bool {
	return len(r.Violations) > 0 || len(r.Open) > 0 || len(r.Table.Residue) > 0 || r.Running > 0 || r.unbalanced()
}

// unbalanced reports whether the gateways' books leave a residue.
func (r *Result) unbalanced() bool {
	return slices.ContainsFunc(r.Books, func(a rollout.Account) bool { return a.Balance().Residue != 0 })
}

// ByKind counts the violations.
func (r *Result) ByKind() map[string]int {
	counts := map[string]int{}
	for _, v := range r.Violations {
		counts[v.Kind]++
	}
	return counts
}

// Timelines writes the first violations and open claims with all that is known
// of them.
func (r *Result) Timelines(w io.Writer, most int) {
	for _, v := range r.Violations[:min(most, len(r.Violations))] {
		fmt.Fprintf(w, "\nVIOLATION: wish %d %s: %s\n%s", v.Wish, v.Kind, v.Detail, r.ledger.Timeline(v.Wish, r.marks))
	}
	for _, n := range r.Table.Residue[:min(most, len(r.Table.Residue))] {
		fmt.Fprintf(w, "\nRESIDUE: wish %d\n%s", n, r.ledger.Timeline(n, r.marks))
	}
	for _, text := range r.Open[:min(most, len(r.Open))] {
		fmt.Fprintf(w, "\nOPEN: %s\n", text)
	}
}

// String is the report.
func (r *Result) String() string {
	var b strings.Builder
	t := r.Table
	protection := "all protection on"
	if r.Config.Without != "" {
		protection = "without the " + r.Config.Without
	}
	fmt.Fprintf(&b, "seed %d, %s store, %d gateways, up to %v %%, %s: %.0f s, of which %.0f s under load; the harness had %d MiB\n",
		r.Config.Seed, r.Config.Store, r.Config.Gateways, r.Config.Most, protection, r.Took.Seconds(), r.Load.Seconds(), r.Memory>>20)
	fmt.Fprintf(&b, "  %d wishes in %d attempts; %d attempts refused (5xx), %d without an answer\n", t.Wishes, t.Attempts, t.Refused, t.NoAnswer)
	fmt.Fprintf(&b, "  accepted %d = legacy %d + temporal %d + in flight %d + dead letter %d (of which undone %d); residue %d\n",
		t.Accepted, t.Legacy, t.Temporal, t.InFlight+r.Running, t.DeadLetter, t.Undone, len(t.Residue))
	if len(t.Residue) > 0 {
		fmt.Fprintf(&b, "    residue, by wish: %v\n", t.Residue[:min(20, len(t.Residue))])
	}
	for i := range r.Books {
		own := r.Books[i].Balance()
		fmt.Fprintf(&b, "  books of %s: accepted %d lives = legacy %d + temporal %d + in flight %d + dead letter %d; residue %d\n",
			r.Books[i].Route, own.Accepted, own.Legacy, own.Temporal, own.InFlight, own.DeadLetter, own.Residue)
	}
	fmt.Fprintf(&b, "  %d lives on Temporal, %d answers replayed, %d activities repeated by Temporal, %d repeated on legacy by clients themselves, %d wishes unanswered, %d ingested after their clients had gone, %d held off by other versions\n",
		t.Lives, t.Replayed, t.CrashRepeats, t.OwnRepeats, t.Unanswered, t.Late, t.HeldOff)
	fmt.Fprintf(&b, "  done to processes: %s\n", words(r.Acts))
	for _, link := range slices.Sorted(maps.Keys(r.Faults)) {
		fmt.Fprintf(&b, "  faults %-16s %s\n", link+":", words(r.Faults[link]))
	}
	fmt.Fprintf(&b, "  documents with both paths at work at one time: %s\n", words(r.Shared))
	fmt.Fprintf(&b, "  violations: %s; open: %d; doubles: %d\n", words(r.ByKind()), len(r.Open), r.Doubles())
	return b.String()
}

// words lists counts, the names in order.
func words[N int | int64](counts map[string]N) string {
	if len(counts) == 0 {
		return "none"
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(all, ", ")
}

func faultsOf(group []*faultproxy.Proxy) map[string]int64 {
	counts := map[string]int64{}
	for _, p := range group {
		for _, f := range faultproxy.Faults() {
			counts[f.String()] += p.Count(f)
		}
	}
	return counts
}

// actsOf counts what was done to whom.
func actsOf(marks []ledger.Mark) map[string]int {
	counts := map[string]int{}
	for _, m := range marks {
		text := m.Text
		if what, _, numbered := strings.Cut(text, "gateway "); numbered {
			text = what + "a gateway"
		}
		if strings.HasPrefix(text, "percentage") || strings.HasPrefix(text, "flags broken") || strings.HasPrefix(text, "kill switch") {
			text = "flags edited"
		}
		for _, verb := range [...]string{"killed", "stopped", "frozen", "flags"} {
			if strings.HasPrefix(text, verb) {
				counts[text]++
			}
		}
	}
	return counts
}
