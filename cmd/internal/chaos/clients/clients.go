// Package clients posts the wishes, and again until they are answered.
//
// A client takes a 2xx and a 4xx for final and repeats everything else. Each
// attempt is sent once and named by a field of its own.
package clients

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"sluice/cmd/internal/chaos/ledger"
	"sluice/cmd/internal/chaos/wishes"
)

// Config configures Clients.
type Config struct {
	// Gateways are the URLs of the gateways' doors.
	Gateways []string
	Ledger   *ledger.Ledger
	Seed     uint64
	// Wishes is how many there are, Parallel how many are under way at one time.
	Wishes, Parallel int
	// Patience is how long a client repeats a wish.
	Patience time.Duration
}

// Clients are all the clients.
type Clients struct {
	config  Config
	http    *http.Client
	next    atomic.Int64
	pending sync.Map // the numbers of wishes without a final answer
}

// answerTimeout is how long a client waits for one answer.
const answerTimeout = 8 * time.Second

// thought is the longest time between two wishes of a client. Without it nearly
// all wishes would fall into the times when Temporal is away and legacy is quick.
const thought = 250 * time.Millisecond

// New returns clients that have not begun.
func New(config Config) *Clients {
	return &Clients{config: config, http: &http.Client{
		Timeout:   answerTimeout,
		Transport: &http.Transport{MaxIdleConnsPerHost: config.Parallel, IdleConnTimeout: 5 * time.Second},
	}}
}

// Issued returns how many wishes were begun.
func (c *Clients) Issued() int { return min(int(c.next.Load()), c.config.Wishes) }

// Run posts all wishes. It stops early when ctx ends: no wish is begun then, and
// those that were are repeated no more.
func (c *Clients) Run(ctx context.Context) {
	var running sync.WaitGroup
	for range c.config.Parallel {
		running.Go(func() {
			for ctx.Err() == nil {
				n := int(c.next.Add(1)) - 1
				if n >= c.config.Wishes {
					return
				}
				c.begin(ctx, n)
				time.Sleep(rand.N(thought))
			}
		})
	}
	running.Wait()
}

// begin is all that a client does about wish number n.
func (c *Clients) begin(ctx context.Context, n int) {
	switch edited, first := wishes.Editing(n); {
	case !edited:
		wish := wishes.At(c.config.Seed, n)
		c.config.Ledger.Wished(n, wish.DocID, wish.Key == "")
		c.pursue(ctx, wish, 0)
	case first && n+wishes.Edits <= c.config.Wishes:
		c.edit(ctx, n)
	}
}

// edits is how often the client of an edited document writes it.
const edits = 8

// edit writes the versions of one document one after the other, and removes it between
// them. What it wrote last must be what is stored.
func (c *Clients) edit(ctx context.Context, first int) {
	rng := rand.New(rand.NewPCG(c.config.Seed^0xed17, uint64(first)))
	var attempts [wishes.Edits]int
	for range edits {
		k := rng.IntN(wishes.Edits)
		wish := wishes.At(c.config.Seed, first+k)
		c.config.Ledger.Wished(wish.Number, wish.DocID, true)
		c.config.Ledger.Edited(wish.DocID, wish.Number)
		var answered bool
		if attempts[k], answered = c.pursue(ctx, wish, attempts[k]); !answered {
			return // Leftover goes on with it
		}
	}
}

// Leftover repeats the wishes that have no final answer yet.
func (c *Clients) Leftover(ctx context.Context) {
	c.http.CloseIdleConnections()
	tickets := make(chan struct{}, c.config.Parallel)
	var running sync.WaitGroup
	c.pending.Range(func(n, attempts any) bool {
		tickets <- struct{}{}
		running.Go(func() {
			c.pursue(ctx, wishes.At(c.config.Seed, n.(int)), attempts.(int))
			<-tickets
		})
		return true
	})
	running.Wait()
}

// Recall repeats up to count of the wishes, which were all answered, once more:
// it must be answered as it was.
func (c *Clients) Recall(ctx context.Context, count int) {
	issued := c.Issued()
	rng := rand.New(rand.NewPCG(c.config.Seed, 0x4eca11))
	var running sync.WaitGroup
	numbers := rng.Perm(issued)[:min(count, issued)]
	each := make(chan int)
	for range c.config.Parallel {
		running.Go(func() {
			for n := range each {
				if edited, _ := wishes.Editing(n); !edited { // its repeat would be one more edit
					c.pursue(ctx, wishes.At(c.config.Seed, n), ledger.Recalls)
				}
			}
		})
	}
	for _, n := range numbers {
		each <- n
	}
	close(each)
	running.Wait()
}

// pursue repeats a wish until it has a final answer, beginning with an attempt. It
// returns the number of the next attempt, and whether there was one.
func (c *Clients) pursue(ctx context.Context, wish wishes.Wish, attempt int) (next int, answered bool) {
	rng := rand.New(rand.NewPCG(c.config.Seed^0xc11e47, uint64(wish.Number)<<16|uint64(attempt)))
	c.pending.Store(wish.Number, attempt)
	began := time.Now()
	for ctx.Err() == nil && time.Since(began) < c.config.Patience {
		answer := c.post(ctx, wish, attempt, rng.IntN(len(c.config.Gateways)))
		attempt++
		c.config.Ledger.Answered(wish.Number, answer)
		if final(wish, answer) {
			c.pending.Delete(wish.Number)
			c.config.Ledger.GaveUp(wish.Number, false)
			return attempt, true
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(30+rng.IntN(400)) * time.Millisecond):
		}
	}
	c.pending.Store(wish.Number, attempt)
	c.config.Ledger.GaveUp(wish.Number, true)
	return attempt, false
}

func final(wish wishes.Wish, a ledger.Answer) bool {
	if a.Status == http.StatusAccepted {
		return !wish.Settle
	}
	return a.Status >= 200 && a.Status < 500
}
