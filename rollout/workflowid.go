package rollout

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of a workflow ID. Temporal's API takes 1,000 bytes; its SQL schemas hold 255
// characters, and an ID that a server cannot store is refused in a way that proves
// nothing. Every store holds an ID of DefaultMaxWorkflowID.
const (
	DefaultMaxWorkflowID = 255
	maxWorkflowIDBytes   = 1000
)

// WorkflowIDs makes the workflow IDs of one migration, and reads them. An ID follows
// from the document, its intent and its life alone.
//
// Where an ID would be longer than Max, or holds a NUL, which PostgreSQL does not
// store, the document's key is folded: what fits of its beginning, "~sha256-" and its
// SHA-256 in hexadecimal stand in its place. A key that looks folded is folded too, so
// no two documents ever share an ID. The ID of a folded key does not tell the key: it
// travels in the run's memo.
type WorkflowIDs struct {
	// Prefix begins the IDs of all real runs, at most 64 bytes.
	Prefix string
	// Max is the longest ID, in characters; 0 is DefaultMaxWorkflowID, which is also the
	// least that leaves room for a folded key.
	Max int
}

// ShadowLife stands for the life in a shadow run's workflow ID. A document that
// legacy serves has lives there alone; a constant makes its intent's retries find
// the shadow run that there was.
const ShadowLife = 1

// ShadowSpace begins the workflow IDs of all shadow runs, and of no real ones.
const ShadowSpace = "shadow/"

// Of returns `<prefix>/<key>/<intent>/<life>`, where key is the document's. Intent and
// life hold no slash, so the parts can be told apart from the right whatever the key
// holds.
func (w WorkflowIDs) Of(key string, intent Intent, life uint64) string {
	return w.join(w.Prefix+"/", key, "/"+string(intent)+"/"+strconv.FormatUint(life, 10))
}

// OfShadow returns `shadow/<prefix>/<key>/<intent>/1/<arm>`. The arm is "a", or "b"
// where a document is run twice to learn how much its answer varies.
func (w WorkflowIDs) OfShadow(key string, intent Intent, arm string) string {
	return w.join(ShadowSpace+w.Prefix+"/", key, "/"+string(intent)+"/"+strconv.Itoa(ShadowLife)+"/"+arm)
}

// Begins returns what the IDs of all runs of the document begin with; false if their
// key is folded, which leaves no beginning that is theirs alone.
func (w WorkflowIDs) Begins(key string) (string, bool) {
	begins := w.Prefix + "/" + key + "/"
	id := w.Of(key, Intent(strings.Repeat("0", 33)), 1e15) // as long as they get
	return begins, strings.HasPrefix(id, begins)
}

// Parse takes an ID apart that Of made; false if it did not. memo is the key that the
// run's memo holds, which is needed where the key was folded; it may be empty.
func (w WorkflowIDs) Parse(id, memo string) (key string, intent Intent, life uint64, ok bool) {
	rest, ours := strings.CutPrefix(id, w.Prefix+"/")
	beforeLife, number, found := cutLast(rest)
	key, name, named := cutLast(beforeLife)
	life, err := strconv.ParseUint(number, 10, 64)
	if !ours || !found || !named || err != nil || len(name) != 33 {
		return "", "", 0, false
	}
	if looksFolded(key) {
		key = memo
	}
	return key, Intent(name), life, w.Of(key, Intent(name), life) == id
}

func cutLast(s string) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, '/'); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

func (w WorkflowIDs) join(before, key, after string) string {
	longest := w.Max
	if longest == 0 {
		longest = DefaultMaxWorkflowID
	}
	whole := before + key + after
	if !folds(key) && fits(whole, longest, maxWorkflowIDBytes) {
		return whole
	}
	sum := sha256.Sum256([]byte(key))
	after = foldMark + hex.EncodeToString(sum[:]) + after
	characters := longest - utf8.RuneCountInString(before) - len(after) // after is ASCII
	return before + beginning(key, characters, maxWorkflowIDBytes-len(before)-len(after)) + after
}

// fits counts characters only where there may be too many.
func fits(id string, characters, bytes int) bool {
	return len(id) <= bytes && (len(id) <= characters || utf8.RuneCountInString(id) <= characters)
}

// foldMark stands before the digest of a folded key.
const foldMark = "~sha256-"

// folds reports whether the key is folded however short it is.
func folds(key string) bool { return strings.IndexByte(key, 0) >= 0 || looksFolded(key) }

// looksFolded reports whether the key ends as a folded one does.
func looksFolded(key string) bool {
	digest := len(key) - 2*sha256.Size
	if digest < len(foldMark) || !strings.HasSuffix(key[:digest], foldMark) {
		return false
	}
	for _, c := range []byte(key[digest:]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// beginning returns what of the text fits in so many characters and bytes, up to the
// first control character.
func beginning(text string, characters, bytes int) string {
	for i, c := range text {
		if characters--; characters < 0 || i+utf8.RuneLen(c) > bytes || c < ' ' {
			return text[:i]
		}
	}
	return text
}
