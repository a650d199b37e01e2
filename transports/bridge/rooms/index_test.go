package rooms

import (
	"context"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// rows is a table of rooms in memory.
type rows struct {
	rooms   []tables.Room
	visible []tables.Visibility
	puts    int
}

func (r *rows) PutRoom(_ context.Context, row tables.Room) (tables.Room, error) {
	r.puts++
	if known, ok, _ := r.FindRoom(context.Background(), row.Scope, row.Key); ok {
		return known, nil
	}
	row.ID = int64(len(r.rooms) + 1)
	r.rooms = append(r.rooms, row)
	return row, nil
}

func (r *rows) FindRoom(_ context.Context, scope transports.LoginID, key string) (tables.Room, bool, error) {
	for _, row := range r.rooms {
		if row.Scope == scope && row.Key == key {
			return row, true, nil
		}
	}
	return tables.Room{}, false, nil
}

func (r *rows) FindRoomID(_ context.Context, scope transports.LoginID, id transports.RoomID) (tables.Room, bool, error) {
	for _, row := range r.rooms {
		if row.Scope == scope && row.Net == id {
			return row, true, nil
		}
	}
	return tables.Room{}, false, nil
}

func (r *rows) RoomLogins(_ context.Context, room int64) (list []tables.Visibility, err error) {
	for _, v := range r.visible {
		if v.Room == room {
			list = append(list, v)
		}
	}
	return list, nil
}

func (r *rows) Commit(context.Context, *tables.Batch) error { return nil }

// found counts the rooms that a backfill is to look at.
type found struct{ n int }

func (f *found) Found(*logins.Login, ...tables.Room) { f.n++ }

func (f *found) Doubted(context.Context, *logins.Login, tables.Room) {}

func TestIndex(t *testing.T) {
	t.Parallel()
	ctx, store, backfill := t.Context(), &rows{}, &found{}
	x := NewIndex(store)
	x.Connect(backfill)
	ann, ben := &logins.Login{ID: "a"}, &logins.Login{ID: "b"}
	event := transports.Event{Room: "den", Kind: transports.Private, Body: transports.Message{ID: "1"}}
	locate := func(l *logins.Login, e transports.Event) int64 {
		t.Helper()
		id, err := x.Locate(ctx, l, e)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	den := locate(ann, event)
	if locate(ben, event) != den || locate(ann, event) != den {
		t.Error("a channel is several rooms")
	}
	if store.puts != 2 || backfill.n != 2 { // once for each login
		t.Errorf("%d times looked for, %d times found", store.puts, backfill.n)
	}
	direct := transports.Event{Room: "d1", Kind: transports.Direct, Peer: "cleo", Body: transports.Message{ID: "1"}}
	if locate(ann, direct) == locate(ben, direct) {
		t.Error("two people share a direct chat")
	}
	if id, err := x.Direct(ctx, ann, "cleo"); err != nil || id != locate(ann, direct) {
		t.Error("the direct chat is not found by its person")
	}
	event.Kind = "" // the client does not know it
	if locate(ann, event) != den {
		t.Error("a room of an unknown kind is another room")
	}
	x.Forget()
	store.visible = []tables.Visibility{{Login: "a", Room: den}}
	for _, tc := range []struct {
		login *logins.Login
		id    string
		want  Found
	}{{ann, "den", Visible}, {ben, "den", Hidden}, {ann, "other", NoRoom}} {
		if _, got, err := x.Visible(ctx, []*logins.Login{tc.login}, tc.id); err != nil || got != tc.want {
			t.Errorf("%s of %s: %d, %v", tc.id, tc.login.ID, got, err)
		}
	}
	x.Hide("a", "den")
	store.visible = nil
	if _, got, _ := x.Visible(ctx, []*logins.Login{ann}, "den"); got != Hidden {
		t.Error("a room that the login does not see any longer is visible")
	}
}
