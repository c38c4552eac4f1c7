package compile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

// mostWords is how many of the compiler's last lines are kept for an error.
const mostWords = 30

// builder is one build. It is used by one goroutine.
type builder struct {
	config   Config
	modules  int      // that were downloaded
	words    []string // the last lines that tell no progress
	progress progress
}

// list finds the packages, and which of them are to be compiled. Modules that are
// missing are downloaded.
func (b *builder) list(ctx context.Context) error {
	b.say("looking what is to be compiled")
	// A stale package is one that the build cache does not have.
	format := `{{.Stale}}{{"\t"}}{{.ImportPath}}{{"\t"}}{{.Dir}}{{"\t"}}{{join .GoFiles "\t"}}`
	var listing bytes.Buffer
	err := b.run(ctx, &listing, b.remember, b.args("list", "-deps", "-f", format)...)
	if err != nil {
		return err
	}
	b.progress, err = readListing(&listing, runtime.GOMAXPROCS(0))
	return err
}

// build compiles and links.
func (b *builder) build(ctx context.Context, draft string) error {
	began := time.Now()
	b.say(b.progress.text(0))
	return b.run(ctx, io.Discard, func(line string) {
		if !b.progress.begins(line) {
			b.remember(line)
			return
		}
		b.say(b.progress.text(time.Since(began)))
	}, b.args("build", "-v", "-o", draft)...)
}

// args are those of the go command, with what decides how packages are compiled:
// what differs here between list and build would make every package a stale one.
func (b *builder) args(verb string, more ...string) []string {
	args := []string{"go", "-C", b.config.Directory, verb, "-buildvcs=false"}
	if b.config.LDFlags != "" {
		args = append(args, "-ldflags", b.config.LDFlags)
	}
	return append(append(args, more...), b.config.Package)
}

// remember keeps a line that tells no progress.
func (b *builder) remember(line string) {
	if strings.HasPrefix(line, "go: downloading ") {
		b.modules++
		b.say(fmt.Sprintf("downloading modules, %d so far", b.modules))
		return
	}
	b.words = append(b.words[max(0, len(b.words)+1-mostWords):], line)
}

func (b *builder) say(text string) {
	if b.config.Progress != nil {
		b.config.Progress(text)
	}
}

// failure is err with what the go command said.
func (b *builder) failure(err error) error {
	if len(b.words) == 0 {
		return err
	}
	return errors.New(err.Error() + "\n" + strings.Join(b.words, "\n"))
}
