package compile

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	// startWeight is what a package costs beside its length: a process, its imports,
	// the cache. In bytes of source, which is what everything is weighed by.
	startWeight = 40 << 10
	// linkShare is what linking costs, as a share of compiling all packages.
	linkShare = 0.03
	// An estimate from less than this says nothing.
	leastTime  = 10 * time.Second
	leastShare = 0.02
)

// progress is how far a build is. Packages are weighed by their length, because
// compiling the largest takes as long as hundreds of the small ones.
type progress struct {
	packages int              // that the program has
	stale    map[string]int64 // weights of those to compile that have not begun
	total    int64            // the weight of all that was to be done, linking included
	ready    int              // packages that are compiled, for certain
	done     int64            // the weight of what was compiled here
	running  []int64          // weights of the last to begin, which may be under way
	parallel int              // compilers at one time
}

// readListing reads what go list said: stale, import path, directory and files of
// each package.
func readListing(listing io.Reader, parallel int) (progress, error) {
	p := progress{stale: map[string]int64{}, parallel: parallel}
	var all int64
	lines := bufio.NewScanner(listing)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) < 3 {
			return p, fmt.Errorf("go list says %q", lines.Text())
		}
		p.packages++
		weight := weigh(fields[2], fields[3:])
		all += weight
		if fields[0] == "true" {
			p.stale[fields[1]] = weight
			p.total += weight
		} else {
			p.ready++
		}
	}
	p.total += int64(linkShare * float64(all))
	return p, lines.Err()
}

// weigh returns what compiling the files costs.
func weigh(directory string, files []string) int64 {
	weight := int64(startWeight)
	for _, file := range files {
		if info, err := os.Stat(filepath.Join(directory, file)); err == nil {
			weight += info.Size()
		}
	}
	return weight
}

// begins notes that a package is being compiled; false if that is none of them.
func (p *progress) begins(path string) bool {
	weight, there := p.stale[path]
	if !there {
		return false
	}
	delete(p.stale, path)
	p.running = append(p.running, weight)
	if len(p.running) > p.parallel {
		p.ready++
		p.done += p.running[0]
		p.running = p.running[1:]
	}
	return true
}

// text says how far the build is, after it took so long.
func (p *progress) text(took time.Duration) string {
	if len(p.stale) == 0 {
		return fmt.Sprintf("the last of %s packages, then linking%s", grouped(p.packages), p.left(took))
	}
	return fmt.Sprintf("%s of %s packages%s", grouped(p.ready), grouped(p.packages), p.left(took))
}

// left says about how long the rest takes at the pace so far, once there is one.
func (p *progress) left(took time.Duration) string {
	share := float64(p.done) / float64(max(1, p.total))
	if took < leastTime || share < leastShare {
		return ""
	}
	left := time.Duration(float64(took) / share * (1 - share))
	switch minutes := int((left + time.Minute - 1) / time.Minute); minutes {
	case 0, 1:
		return ", less than a minute left"
	default:
		return fmt.Sprintf(", about %d minutes left", minutes)
	}
}

// grouped writes a number as 1,310.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
