package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/rollout/audit"
	"sluice/rollout/store/postgres"
)

func auditOf(t *testing.T, dsn string) *audit.Shared {
	t.Helper()
	store, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn, Migration: salt})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return audit.NewShared(store, zap.NewNop())
}

func act(reason string) rollout.Act {
	return rollout.Act{Actor: "op", Action: "claim-settle", Reason: reason}
}

// Gateways that add at once make one chain, with every act once.
func TestAuditOfTwoGatewaysIsOneChain(t *testing.T) {
	t.Parallel()
	const each = 30
	dsn := server.Database(t)
	var gateways []*audit.Shared
	for range 2 {
		gateways = append(gateways, auditOf(t, dsn))
	}
	var group sync.WaitGroup
	for g, record := range gateways {
		for w := range 2 {
			group.Go(func() {
				for i := range each {
					if _, err := record.Append(context.Background(), act(fmt.Sprint(g, w, i))); err != nil {
						t.Errorf("gateway %d: %v", g, err)
					}
				}
			})
		}
	}
	group.Wait()
	var file bytes.Buffer
	if err := gateways[0].Export(t.Context(), &file); err != nil {
		t.Fatal(err)
	}
	entries, head, err := audit.Verify(bytes.NewReader(file.Bytes()))
	if err != nil || entries != 4*each {
		t.Fatalf("%d entries, %v", entries, err)
	}
	read, err := gateways[1].Read(t.Context(), 0, 1000)
	if err != nil || len(read) != 4*each || read[len(read)-1].Hash != head {
		t.Fatalf("%d entries, %v", len(read), err)
	}
	slices.SortFunc(read, func(a, b rollout.Entry) int { return strings.Compare(a.Reason, b.Reason) })
	if distinct := slices.CompactFunc(read, func(a, b rollout.Entry) bool { return a.Reason == b.Reason }); len(distinct) != 4*each {
		t.Errorf("%d acts of %d are on record", len(distinct), 4*each)
	}
}

// Whatever is done to the table by other hands is noticed by the gateway that uses
// it and by one that begins, and nothing is added any more.
func TestDamageOfTheSharedAudit(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"changed":            `UPDATE sluice_audit SET line = convert_to(replace(convert_from(line, 'UTF8'), 'second', 'sekond'), 'UTF8') WHERE seq = 2`,
		"removed inside":     `DELETE FROM sluice_audit WHERE seq = 2`,
		"swapped":            `UPDATE sluice_audit AS a SET line = b.line FROM sluice_audit AS b WHERE (a.seq, b.seq) IN ((1, 2), (2, 1))`,
		"the last replaced":  `UPDATE sluice_audit SET line = convert_to(replace(convert_from(line, 'UTF8'), 'third', 'fourth'), 'UTF8') WHERE seq = 3`,
		"cut off at the end": `DELETE FROM sluice_audit WHERE seq = 3`,
		"emptied":            `TRUNCATE sluice_audit`,
	} {
		t.Run(name, func(t *testing.T) {
			dsn := server.Database(t)
			using := auditOf(t, dsn)
			for _, reason := range []string{"first", "second", "third"} {
				if _, err := using.Append(t.Context(), act(reason)); err != nil {
					t.Fatal(err)
				}
			}
			conn, err := pgx.Connect(t.Context(), dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(t.Context())
			if _, err := conn.Exec(t.Context(), damage); err != nil {
				t.Fatal(err)
			}
			gone := name == "cut off at the end" || name == "emptied" // seen only by who knows the end
			inside := name == "changed" || name == "removed inside" || name == "swapped"
			for which, record := range map[string]*audit.Shared{"in use": using, "new": auditOf(t, dsn)} {
				if gone && which == "new" || inside && which == "in use" {
					continue // it verified what it had read, before
				}
				found := new(audit.Damage)
				if _, err := record.Append(t.Context(), act("more")); !errors.As(err, &found) {
					t.Errorf("%s: %v", which, err)
				}
			}
		})
	}
}

// A line is added only after the one that it was sealed onto.
func TestAuditLineNeedsItsPredecessor(t *testing.T) {
	t.Parallel()
	store, err := postgres.Open(t.Context(), postgres.Config{DSN: server.Database(t), Migration: salt})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for _, row := range []struct {
		seq        uint64
		prev, hash string
		want       bool
	}{
		{2, "", "b", false}, // nothing is there yet
		{1, "genesis", "a", true},
		{1, "genesis", "x", false},
		{3, "a", "c", false},
		{2, "x", "b", false}, // another line has been put in the last one's place
		{2, "a", "b", true},
		{2, "a", "x", false},
	} {
		added, err := store.AppendLine(t.Context(), row.seq, row.prev, row.hash, []byte(row.hash))
		if err != nil || added != row.want {
			t.Errorf("line %d, %s after %s: added %v, %v", row.seq, row.hash, row.prev, added, err)
		}
	}
	if lines, err := store.Lines(t.Context(), 0, 10); err != nil || string(bytes.Join(lines, nil)) != "ab" {
		t.Errorf("%q, %v", lines, err)
	}
}
