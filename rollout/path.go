package rollout

// Path is one of the two ways a document can be ingested.
type Path uint8

// The two paths. The zero value is Legacy: what is not decided is legacy's.
const (
	Legacy Path = iota
	Temporal
)

// Paths lists both, in the order dashboards show them.
func Paths() []Path { return []Path{Legacy, Temporal} }

// String returns "legacy" or "temporal".
func (p Path) String() string {
	if p == Temporal {
		return "temporal"
	}
	return "legacy"
}
