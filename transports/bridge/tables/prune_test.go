package tables_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Events and calls from a time when the clock was ahead do not keep others from being removed, and young ones stay.
func TestPruneBehindTheFuture(t *testing.T) {
	t.Parallel()
	s, g := openGateway(t)
	room, err := g.PutRoom(t.Context(), tables.Room{Key: "plaza", Net: "plaza"})
	check(t, err)
	first, _, err := g.LastNumber(t.Context())
	check(t, err)
	now := time.Now()
	seq := first
	insert := func(n int, at time.Time) {
		var values []string
		for range n {
			seq++
			values = append(values, fmt.Sprintf(`(%[1]d, %[2]d, '', 'k%[1]d', 'message', 0, %[1]d, '', %[3]d, 3)`, seq, room.ID, at.UnixMicro()))
		}
		exec(t, s, `INSERT INTO bridge_inbox (seq, room, account, key, kind, lane, place, data, at, state) VALUES `+strings.Join(values, ", "))
	}
	insert(2500, now.AddDate(1, 0, 0))
	insert(30, now.AddDate(0, 0, -30))
	insert(20, now.Add(-time.Hour))
	check(t, g.Prune(t.Context(), tables.Pruning{Now: now, Keys: now.AddDate(0, 0, -7)}))
	if n := count(t, s, fmt.Sprintf(`SELECT count(*) FROM bridge_inbox WHERE at < %d`, now.AddDate(0, 0, -7).UnixMicro())); n != 0 {
		t.Errorf("%d old events are left", n)
	}
	if n := count(t, s, fmt.Sprintf(`SELECT count(*) FROM bridge_inbox WHERE at < %d`, now.UnixMicro())); n != 20 {
		t.Errorf("%d young events are left, want 20", n)
	}
}
