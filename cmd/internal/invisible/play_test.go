package invisible_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"

	"sluice/cmd/internal/gateway"
	"sluice/configs"
)

// row is one thing that a client may do.
type row struct {
	name string
	// legacy makes the script of one legacy service; nil is one that stores.
	legacy func() script
	client func(c *client)
	// may are the differences of this row, on top of those that every row may have.
	may []difference
	// settings are the gateway's, on top of the defaults.
	settings []string
}

// play plays the rows, with clients that are connected to the gateway itself.
func play(t *testing.T, rows []row) {
	playBehind(t, rows, func(_ testing.TB, upstream string) string { return upstream })
}

// playBehind plays them with a proxy between the clients and the gateway, and between
// the clients and legacy. front starts one and returns where it listens.
func playBehind(t *testing.T, rows []row, front func(t testing.TB, upstream string) string) {
	t.Parallel()
	for _, r := range rows {
		t.Run(strings.ReplaceAll(r.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			direct := r.perform(t, func(legacy string) string { return front(t, legacy) })
			through := r.perform(t, func(legacy string) string {
				return front(t, openGateway(t, append([]string{"legacy.url=http://" + legacy}, r.settings...)...).PublicAddress())
			})
			for _, d := range append(always(), r.may...) {
				d.hide(&direct, &through)
			}
			for _, complaint := range compare(direct, through) {
				t.Error(complaint)
			}
		})
	}
}

// account is all that was noticed in one performance.
type account struct {
	client []note
	legacy []note
}

// perform plays the row once. door says where the client goes if legacy is there.
func (r row) perform(t *testing.T, door func(legacy string) string) account {
	t.Helper()
	s := newStage(t)
	openScript := r.legacy
	if openScript == nil {
		openScript = says(stored)
	}
	legacy := openLegacy(t, s, openScript())
	var notes []note
	first := (&client{stage: s, door: door(legacy.address()), notes: &notes}).another()
	r.client(first)
	return account{client: notes, legacy: s.requests()}
}

// openGateway runs a gateway with nothing on Temporal, which is not even there.
func openGateway(t testing.TB, settings ...string) *gateway.Gateway {
	t.Helper()
	dir := t.TempDir()
	flags := filepath.Join(dir, "flags.json")
	if err := os.WriteFile(flags, []byte(flagsAtZero), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := configs.Load("../../../configs/gateway.yaml", append([]string{
		"listen.public=127.0.0.1:0", "listen.operator=127.0.0.1:0", "data=" + filepath.Join(dir, "gateway"),
		"temporal.address=127.0.0.1:1", "rollout.flags.file=" + flags, "log.access=false", "drain.lame_duck=0s",
		"drain.timeout=1s",
	}, settings...)...)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.Open(t.Context(), config, gateway.Options{Version: "test", Log: zap.NewNop(), Lookup: noVariables})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-ended // a row may leave a request under way, which is no fault of the end's
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

func noVariables(string) (string, bool) { return "", false }

const flagsAtZero = `{"flags":{
 "temporal-rollout-percentage":{"state":"ENABLED","defaultVariant":"now","variants":{"now":0}},
 "temporal-shadow-percentage":{"state":"ENABLED","defaultVariant":"now","variants":{"now":0}},
 "temporal-rollout-kill":{"state":"ENABLED","defaultVariant":"now","variants":{"now":false}}}}`

// quoted shortens what is long.
func quoted(s string) string {
	if len(s) > 300 {
		return fmt.Sprintf("%q... (%d bytes)", s[:300], len(s))
	}
	return fmt.Sprintf("%q", s)
}
