package tables_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// openRoom makes a gateway with one room.
func openRoom(t *testing.T) (*tables.Store, tables.Room) {
	t.Helper()
	database, err := tables.Open(t.Context(), openEngine(t, storetest.URL(t)))
	check(t, err)
	g, err := database.Gateway(t.Context(), domain)
	check(t, err)
	room, err := g.PutRoom(t.Context(), tables.Room{Key: "plaza", Net: "plaza", Kind: transports.Public})
	check(t, err)
	return g, room
}

// Of the events of one call, those are new whose key neither the room nor the call had before. A live event that
// is held moves to the position that the history gives it.
func TestReceive(t *testing.T) {
	t.Parallel()
	g, room := openRoom(t)
	event := func(seq int64, key string, p tables.Priority) tables.Event {
		return tables.Event{Seq: seq, Position: seq, Room: room.ID, Key: key, Kind: "message", Priority: p, Data: []byte("{}"), At: time.Now()}
	}
	receive := func(want []bool, events ...tables.Event) {
		t.Helper()
		added, err := g.Receive(t.Context(), events, nil)
		if err != nil || !slices.Equal(added, want) {
			t.Errorf("%v, want %v: %v", added, want, err)
		}
	}
	receive(nil)
	receive([]bool{true, true, false}, event(1, "held", tables.PriorityHeld), event(2, "live", tables.PriorityHeld), event(3, "held", tables.PriorityHeld))
	receive([]bool{true, false, true}, event(4, "past", tables.PriorityNow), event(5, "held", tables.PriorityNow), event(6, "past 2", tables.PriorityNow))
	receive([]bool{false, false}, event(7, "past", tables.PriorityNow), event(8, "live", tables.PriorityHeld))
	pending, err := g.PendingEvents(t.Context(), room.ID, 10)
	check(t, err)
	if keys := keysOf(pending); !slices.Equal(keys, []string{"past", "held", "past 2", "live"}) {
		t.Errorf("pending are %q", keys)
	}
}

// A batch of many rows of each kind; what is there already is left as it is, and a row can be retracted by the
// batch that adds it.
func TestCommitMany(t *testing.T) {
	t.Parallel()
	g, room := openRoom(t)
	const n = 10
	var events []tables.Event
	b := &tables.Batch{}
	for i := range int64(n) {
		id := fmt.Sprint("m", i)
		events = append(events, tables.Event{Seq: i + 1, Position: i + 1, Room: room.ID, Key: id, Kind: "message", Data: []byte("{}")})
		update := tables.EventUpdate{Seq: i + 1, State: []tables.EventState{tables.EventDone, tables.EventReady, tables.EventFailed}[i%3], Position: n - i, Error: "no"}
		if update.State == tables.EventReady && i > 1 {
			update.Deliveries = []byte("[]")
		}
		b.Inbox.Events = append(b.Inbox.Events, update)
		b.Messages.Mappings = append(b.Messages.Mappings, tables.Mapping{Room: room.ID, Net: transports.MessageID(id), Stanza: id, Text: "bad \xff\x00 text", At: time.UnixMicro(5)})
		b.Messages.Reactions = append(b.Messages.Reactions, tables.Reaction{Room: room.ID, Net: "m0", User: "cleo", Emoji: fmt.Sprint(i / 2)})
		b.Rooms.Members = append(b.Rooms.Members, tables.Member{Room: room.ID, User: "cleo"})
		b.Archive = append(b.Archive, tables.Archived{Seq: i + 1, Room: room.ID, ID: id, Payload: id})
		if i%4 == 0 {
			b.Archive = append(b.Archive, tables.Archived{Room: room.ID, Retract: id, Payload: "gone"})
		}
	}
	_, err := g.Receive(t.Context(), events, nil)
	check(t, err)
	check(t, g.Commit(t.Context(), b))
	check(t, g.Commit(t.Context(), &tables.Batch{
		Messages: tables.MessageBatch{Mappings: []tables.Mapping{{Room: room.ID, Net: "m1", Stanza: "m1", Text: "other"}}},
		Archive:  []tables.Archived{{Seq: n + 1, Room: room.ID, ID: "m1", Payload: "other"}, {Seq: n + 2, Room: room.ID, ID: "last", Payload: "last"}},
	}))
	page, err := g.ReadArchive(t.Context(), room.ID, archive.Filter{}, archive.Page{Max: 100})
	check(t, err)
	var payloads []string
	for _, a := range page.Rows {
		payloads = append(payloads, a.Payload)
	}
	if want := []string{"gone", "m1", "m2", "m3", "gone", "m5", "m6", "m7", "gone", "m9", "last"}; !slices.Equal(payloads, want) {
		t.Errorf("archived are %q, want %q", payloads, want)
	}
	ids, err := g.ByNetworkID(t.Context(), room.ID, "m1")
	if err != nil || len(ids) != 1 || ids[0].Text == "other" || ids[0].At.UnixMicro() != 5 {
		t.Errorf("%v %v", ids, err)
	}
	emoji, err := g.Reactions(t.Context(), room.ID, "m0", "cleo")
	if err != nil || len(emoji) != n/2 {
		t.Errorf("%q %v", emoji, err)
	}
	ready, err := g.ReadyEvents(t.Context())
	check(t, err)
	if keys := keysOf(ready); !slices.Equal(keys, []string{"m7", "m4", "m1"}) || ready[0].Deliveries == nil || ready[2].Deliveries != nil {
		t.Errorf("ready are %q", keys)
	}
	failed, err := g.FailedEvents(t.Context(), 10)
	check(t, err)
	if keys := keysOf(failed); !slices.Equal(keys, []string{"m2", "m5", "m8"}) || failed[0].Error != "no" {
		t.Errorf("failed are %q", keys)
	}
	check(t, g.MarkDelivered(t.Context(), []int64{2, 5}))
	if ready, err = g.ReadyEvents(t.Context()); err != nil || !slices.Equal(keysOf(ready), []string{"m7"}) {
		t.Errorf("ready are %q: %v", keysOf(ready), err)
	}
}

// What a moderator has removed stays so, whatever its author does (XEP-0425 §5); the other way round the moderator decides too.
func TestModerationStays(t *testing.T) {
	t.Parallel()
	const (
		own       = "<retracted xmlns='urn:xmpp:message-retract:1' id='r'/>"
		moderated = "<retracted xmlns='urn:xmpp:message-retract:1'><moderated xmlns='urn:xmpp:message-moderate:1'/></retracted>"
	)
	g, room := openRoom(t)
	retract := func(id, payload string) tables.Archived {
		return tables.Archived{Room: room.ID, Retract: id, Payload: payload}
	}
	check(t, g.Commit(t.Context(), &tables.Batch{Archive: []tables.Archived{
		{Seq: 1, Room: room.ID, ID: "bad", Payload: "<body>bad</body>"}, {Seq: 2, Room: room.ID, ID: "worse", Payload: "<body>worse</body>", Corrects: "bad"},
		{Seq: 3, Room: room.ID, ID: "sorry", Payload: "<body>sorry</body>"},
		retract("bad", moderated), retract("bad", own), retract("sorry", own),
	}}))
	check(t, g.Commit(t.Context(), &tables.Batch{Archive: []tables.Archived{retract("bad", own), retract("sorry", moderated), retract("none", own)}}))
	page, err := g.ReadArchive(t.Context(), room.ID, archive.Filter{}, archive.Page{Max: 100})
	check(t, err)
	var payloads []string
	for _, a := range page.Rows {
		payloads = append(payloads, a.Payload)
	}
	if want := []string{moderated, "", moderated}; !slices.Equal(payloads, want) {
		t.Errorf("archived are %q", payloads)
	}
}
