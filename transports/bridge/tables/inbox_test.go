package tables_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Events of a room that was deleted while they were on their way do not keep those of other rooms from being stored.
func TestReceiveForDeletedRoom(t *testing.T) {
	t.Parallel()
	s, g := openGateway(t)
	room, err := g.PutRoom(t.Context(), tables.Room{Key: "plaza", Net: "plaza"})
	check(t, err)
	deleted, err := g.PutRoom(t.Context(), tables.Room{Key: "attic", Net: "attic"})
	check(t, err)
	exec(t, s, fmt.Sprintf(`DELETE FROM bridge_rooms WHERE id = %d`, deleted.ID))
	seq, _, err := g.LastNumber(t.Context())
	check(t, err)
	event := func(in int64, key string) tables.Event {
		seq++
		return tables.Event{Seq: seq, Room: in, Key: key, Kind: "message", Position: seq, Data: []byte("{}"), At: time.Now()}
	}
	added, err := g.Receive(t.Context(), []tables.Event{event(room.ID, "a"), event(deleted.ID, "b"), event(room.ID, "c")}, nil)
	if err != nil || len(added) != 3 || !added[0] || added[1] || !added[2] {
		t.Errorf("added %v, %v", added, err)
	}
	if list, err := g.PendingEvents(t.Context(), room.ID, 10); err != nil || len(list) != 2 {
		t.Errorf("%d events wait, %v", len(list), err)
	}
	if added, err = g.Receive(t.Context(), []tables.Event{event(deleted.ID, "d")}, nil); err != nil || len(added) != 1 || added[0] {
		t.Errorf("alone: added %v, %v", added, err)
	}
}
