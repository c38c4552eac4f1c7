package storetest

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/rollout"
)

// Answers is a handle on a store of legacy's answers.
type Answers interface {
	// KeepAnswer makes the answer durable before it returns nil. One that is
	// there already is replaced.
	KeepAnswer(ctx context.Context, key rollout.AnswerKey, answer *rollout.Answer) error
	// KeptAnswer returns the answer; false if there is none, or none any more.
	KeptAnswer(ctx context.Context, key rollout.AnswerKey) (rollout.Answer, bool, error)
	// Close gives the handle back. What is stored stays.
	Close() error
}

// OpenAnswers opens a handle on one store, empty at first, that keeps answers for
// the time. The checks close a handle before they open the next.
type OpenAnswers func(t *testing.T, keep time.Duration) Answers

// RunAnswers checks a store of answers. fresh returns a new, empty one each time.
func RunAnswers(t *testing.T, fresh func(t *testing.T) OpenAnswers) {
	for _, check := range []struct {
		name string
		run  func(t *testing.T, open OpenAnswers)
	}{
		{"what was kept is found", keptIsFound},
		{"keys are apart", keysAreApart},
		{"the last one counts", lastCounts},
		{"opening again keeps answers", reopeningKeepsAnswers},
		{"many at once", manyAnswersAtOnce},
		{"answers are forgotten", answersAreForgotten},
	} {
		t.Run(check.name, func(t *testing.T) { check.run(t, fresh(t)) })
	}
}

func answerKey(i int) rollout.AnswerKey {
	return rollout.AnswerKey{DocID: "doc\x00\xff", Intent: "k", Life: uint64(i)}
}

func keepAnswer(t *testing.T, s Answers, i int, answer rollout.Answer) {
	t.Helper()
	if err := s.KeepAnswer(t.Context(), answerKey(i), &answer); err != nil {
		t.Fatal(err)
	}
}

// wantAnswer checks that the answer is there, as it was.
func wantAnswer(t *testing.T, s Answers, i int, want rollout.Answer) {
	t.Helper()
	got, found, err := s.KeptAnswer(t.Context(), answerKey(i))
	if err != nil || !found {
		t.Fatalf("answer %d: %v, %v", i, found, err)
	}
	if got.Status != want.Status || !bytes.Equal(got.Body, want.Body) || !reflect.DeepEqual(got.Header, want.Header) {
		t.Errorf("answer %d is %+v, want %+v", i, got, want)
	}
}

func wantNoAnswer(t *testing.T, s Answers, key rollout.AnswerKey) {
	t.Helper()
	if got, found, err := s.KeptAnswer(t.Context(), key); err != nil || found {
		t.Errorf("%+v has the answer %+v, %v", key, got, err)
	}
}

func closeAnswers(t *testing.T, s Answers) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func plainAnswer(text string) rollout.Answer {
	return rollout.Answer{Status: 200, Header: map[string][]string{"Content-Type": {"text/plain"}}, Body: []byte(text)}
}

func keptIsFound(t *testing.T, open OpenAnswers) {
	s := open(t, time.Hour)
	defer closeAnswers(t, s)
	wantNoAnswer(t, s, answerKey(0))
	answers := []rollout.Answer{
		plainAnswer("a"),
		{Status: 204, Header: map[string][]string{}},
		{Status: 409, Header: map[string][]string{"Link": {"<a>", "<b>"}, "Etag": {""}}, Body: []byte("\x00\xff\n")},
		{Status: 200, Header: map[string][]string{}, Body: bytes.Repeat([]byte("0123456789abcdef"), 1<<16)},
	}
	for i, answer := range answers {
		keepAnswer(t, s, i, answer)
	}
	for i, answer := range answers {
		wantAnswer(t, s, i, answer)
	}
}

func keysAreApart(t *testing.T, open OpenAnswers) {
	s := open(t, time.Hour)
	defer closeAnswers(t, s)
	keepAnswer(t, s, 1, plainAnswer("a"))
	one := answerKey(1)
	wantNoAnswer(t, s, rollout.AnswerKey{DocID: one.DocID, Intent: one.Intent, Life: 2})
	wantNoAnswer(t, s, rollout.AnswerKey{DocID: one.DocID, Intent: "l", Life: 1})
	wantNoAnswer(t, s, rollout.AnswerKey{DocID: "doc", Intent: one.Intent, Life: 1})
}

func lastCounts(t *testing.T, open OpenAnswers) {
	s := open(t, time.Hour)
	keepAnswer(t, s, 1, plainAnswer("a"))
	keepAnswer(t, s, 1, plainAnswer("b"))
	wantAnswer(t, s, 1, plainAnswer("b"))
	closeAnswers(t, s)
	s = open(t, time.Hour)
	defer closeAnswers(t, s)
	wantAnswer(t, s, 1, plainAnswer("b"))
}

func reopeningKeepsAnswers(t *testing.T, open OpenAnswers) {
	for round := range 4 {
		s := open(t, time.Hour)
		for i := range round {
			wantAnswer(t, s, i, plainAnswer(fmt.Sprint(i)))
		}
		keepAnswer(t, s, round, plainAnswer(fmt.Sprint(round)))
		closeAnswers(t, s)
	}
}

func manyAnswersAtOnce(t *testing.T, open OpenAnswers) {
	s := open(t, time.Hour)
	defer closeAnswers(t, s)
	var writers errgroup.Group
	const each = 50
	for w := range 8 {
		writers.Go(func() error {
			for i := w * each; i < (w+1)*each; i++ {
				answer := plainAnswer(fmt.Sprint(i))
				if err := s.KeepAnswer(t.Context(), answerKey(i), &answer); err != nil {
					return err
				}
				if got, found, err := s.KeptAnswer(t.Context(), answerKey(i)); err != nil || !found || string(got.Body) != fmt.Sprint(i) {
					return fmt.Errorf("answer %d: %s, %v, %w", i, got.Body, found, err)
				}
			}
			return nil
		})
	}
	if err := writers.Wait(); err != nil {
		t.Fatal(err)
	}
	for i := range 8 * each {
		wantAnswer(t, s, i, plainAnswer(fmt.Sprint(i)))
	}
}

func answersAreForgotten(t *testing.T, open OpenAnswers) {
	s := open(t, 100*time.Millisecond)
	defer closeAnswers(t, s)
	keepAnswer(t, s, 1, plainAnswer("a"))
	for limit := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		_, found, err := s.KeptAnswer(t.Context(), answerKey(1))
		if err != nil || time.Now().After(limit) {
			t.Fatalf("it is not forgotten: %v", err)
		}
		if !found {
			return
		}
	}
}
