package brake_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/rollout/store/brake"
)

func act(ceiling rollout.Exposure) rollout.Brake {
	return rollout.Brake{Exposure: ceiling, Actor: "ada", Reason: "why", At: time.UnixMilli(1_700_000_000_123).UTC()}
}

func TestTheBrakeOutlivesItsProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "brake.json")
	f := brake.Open(path, zap.NewNop())
	if got := f.Brake(); got.Exposure != rollout.All {
		t.Fatalf("without a file: %+v", got)
	}
	for _, step := range []struct {
		to      rollout.Exposure
		refused bool
	}{{400_000, false}, {500_000, true}, {400_000, false}, {0, false}, {1, true}, {rollout.All, false}, {999_999, false}} {
		before := *f.Brake()
		if err := f.Set(act(step.to)); errors.Is(err, rollout.ErrBrakeLower) != step.refused || (err != nil) != step.refused {
			t.Errorf("to %v: %v", step.to, err)
		}
		want := act(step.to)
		if step.refused {
			want = before
		}
		if got := brake.Open(path, zap.NewNop()).Brake(); *got != want || *f.Brake() != want {
			t.Errorf("to %v: %+v, after a restart %+v", step.to, f.Brake(), got)
		}
	}
}

// No failure raises: not a file that is cut short at any byte, not one of another
// kind.
func TestADamagedFileIsABrakeAtNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "brake.json")
	if err := brake.Open(path, zap.NewNop()).Set(act(400_000)); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := []string{"null", "{}", "[]", `{"version":1}`, `{"version":2,"exposure":5}`, `{"version":1,"exposure":1000001}`, `{"version":1,"exposure":null}`,
		string(whole) + "x", strings.Replace(string(whole), "exposure", "exposures", 1), string(make([]byte, len(whole)))}
	for cut := range len(whole) - 1 { // without the newline it is whole
		bad = append(bad, string(whole[:cut]))
	}
	for _, text := range bad {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f := brake.Open(path, zap.NewNop())
		if got := f.Brake(); got.Exposure != rollout.None || got.Reason == "" {
			t.Errorf("%q is %+v", text, got)
		}
	}
	if err := brake.Open(path, zap.NewNop()).Set(act(rollout.All)); err != nil {
		t.Error(err)
	}
	if got := brake.Open(path, zap.NewNop()).Brake(); got.Exposure != rollout.All {
		t.Errorf("released: %+v", got)
	}
}

func TestWhatCannotBeKeptIsLoweredAndNotReleased(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	path := filepath.Join(dir, "brake.json")
	f := brake.Open(path, zap.NewNop())
	if err := f.Set(act(0)); !errors.Is(err, brake.ErrUnkept) || f.Brake().Exposure != rollout.None {
		t.Errorf("%v, %+v", err, f.Brake())
	}
	if err := f.Set(act(rollout.All)); err == nil || f.Brake().Exposure != rollout.None {
		t.Errorf("%v, %+v", err, f.Brake())
	}
	if err := f.Keep(); err == nil {
		t.Error("it was kept in no directory")
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := f.Keep(); err != nil || brake.Open(path, zap.NewNop()).Brake().Exposure != rollout.None {
		t.Errorf("it was not kept: %v", err)
	}
}

func TestOnlyTheBrakeThatWasStoredIsWithdrawn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "brake.json")
	f := brake.Open(path, zap.NewNop())
	if err := f.Set(act(400_000)); err != nil {
		t.Fatal(err)
	}
	stored := f.Brake()
	if err := f.Set(act(0)); err != nil {
		t.Fatal(err)
	}
	if err := f.Withdraw(stored); err != nil || f.Brake().Exposure != rollout.None {
		t.Errorf("a later rollback was withdrawn: %v, %+v", err, f.Brake())
	}
	if err := f.Withdraw(f.Brake()); err != nil || f.Brake().Exposure != rollout.All {
		t.Errorf("%v, %+v", err, f.Brake())
	}
}

const childVariable = "SLUICE_BRAKE_CHILD"

// A process that is killed while it sets the brake leaves one that was set.
func TestKilledWhileItSets(t *testing.T) {
	if path := os.Getenv(childVariable); path != "" {
		f := brake.Open(path, zap.NewNop())
		for n := rollout.Exposure(900_000); n > 1; n-- {
			if err := f.Set(act(n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "brake.json")
	last := rollout.All
	for range 5 {
		if last < rollout.All { // so that the next child may begin anew
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		child := exec.Command(os.Args[0], "-test.run=^TestKilledWhileItSets$")
		child.Env = append(os.Environ(), childVariable+"="+path)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		for limit := time.Now().Add(20 * time.Second); time.Now().Before(limit); time.Sleep(20 * time.Millisecond) {
			if _, err := os.Stat(path); err == nil {
				break
			}
		}
		_ = child.Process.Kill()
		_ = child.Wait()
		got := brake.Open(path, zap.NewNop()).Brake()
		if last = got.Exposure; got.Actor != "ada" || last > 900_000 || last == rollout.None {
			t.Errorf("after a kill: %+v", got)
		}
	}
}
