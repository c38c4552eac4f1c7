package unclaimed_test

import (
	"context"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"sluice/rollout"
	"sluice/router/unclaimed"
)

func passed(reason string) *rollout.Record { return &rollout.Record{Unroutable: reason, Sent: true} }

// An hour's counts are told, by reason, and forgotten after it.
func TestLastHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q unclaimed.Requests
		want := func(counts map[string]uint64) {
			t.Helper()
			if got := q.LastHour(); !reflect.DeepEqual(got, counts) {
				t.Errorf("got %v, want %v", got, counts)
			}
		}
		want(map[string]uint64{})
		q.Observe(passed("not-json"))
		q.Observe(passed("missing"))
		q.Observe(passed("missing"))
		q.Observe(&rollout.Record{Unroutable: "missing"}) // rejected
		q.Observe(&rollout.Record{Sent: true})            // a document
		want(map[string]uint64{"not-json": 1, "missing": 2})
		time.Sleep(59 * time.Minute)
		q.Observe(passed("coding"))
		want(map[string]uint64{"not-json": 1, "missing": 2, "coding": 1})
		time.Sleep(time.Minute)
		want(map[string]uint64{"coding": 1})
		q.Observe(passed("missing")) // in the first one's place
		want(map[string]uint64{"coding": 1, "missing": 1})
		time.Sleep(24 * time.Hour)
		want(map[string]uint64{})
	})
}

// The log is told once a minute, of new ones only, and of the last ones at the end.
func TestTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logged := observer.New(zap.InfoLevel)
		var q unclaimed.Requests
		ctx, cancel := context.WithCancel(t.Context())
		go q.Tell(ctx, zap.New(core))
		want := func(lines int, requests uint64, reasons map[string]uint64) {
			t.Helper()
			synctest.Wait()
			all := logged.All()
			if len(all) != lines {
				t.Fatalf("%d lines, want %d", len(all), lines)
			}
			fields := all[lines-1].ContextMap()
			if fields["requests"] != requests || !reflect.DeepEqual(fields["reasons"], reasons) {
				t.Errorf("got %v", fields)
			}
		}
		for range 1000 {
			q.Observe(passed("missing"))
		}
		q.Observe(passed("not-json"))
		time.Sleep(61 * time.Second)
		want(1, 1001, map[string]uint64{"missing": 1000, "not-json": 1})
		time.Sleep(10 * time.Minute) // nothing new
		q.Observe(passed("coding"))
		time.Sleep(time.Minute)
		want(2, 1, map[string]uint64{"coding": 1})
		q.Observe(passed("coding"))
		cancel()
		want(3, 1, map[string]uint64{"coding": 1})
	})
}

func TestReasons(t *testing.T) {
	counts := map[string]uint64{"a": 1, "c": 5, "b": 5}
	if got := unclaimed.Reasons(counts); !reflect.DeepEqual(got, []string{"b", "c", "a"}) || unclaimed.Sum(counts) != 11 {
		t.Errorf("got %v, %d", got, unclaimed.Sum(counts))
	}
}
