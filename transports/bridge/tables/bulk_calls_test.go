package tables_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// callsBatch adds n calls, updates each twice, and expects and uses an echo of each.
func callsBatch(room int64, from int64, n int) *tables.Batch {
	b := &tables.Batch{}
	for i := range int64(n) {
		c := tables.Call{Seq: from + i, Room: room, Login: "a", Sender: jid.MustParse("ann@example.org/phone"), Origin: fmt.Sprint(from + i),
			Kind: "message", Data: []byte("{}"), Created: time.UnixMicro(7)}
		b.Outbox.Add = append(b.Outbox.Add, c)
		c.State, c.Attempt, c.Since = tables.CallSending, 1, time.UnixMicro(8)
		b.Outbox.Update = append(b.Outbox.Update, c)
		c.Attempt, c.Notified, c.Data = 2, true, nil
		b.Outbox.Update = append(b.Outbox.Update, c)
		e := tables.Echo{Room: room, Net: transports.MessageID(fmt.Sprint(from + i)), Kind: "edit", Until: time.UnixMicro(9)}
		used := e
		e.Until = time.Now().Add(time.Hour)
		b.Messages.Echoes = append(b.Messages.Echoes, used, e)
		if i%2 == 0 {
			b.Messages.EchoesUsed = append(b.Messages.EchoesUsed, used)
		}
	}
	return b
}

// Calls, echoes and states of logins are written for all rows of a batch, and the last change of a row counts.
func TestCommitCalls(t *testing.T) {
	t.Parallel()
	g, room := openRoom(t)
	check(t, g.Commit(t.Context(), callsBatch(room.ID, 1, 5)))
	calls, err := g.PendingCalls(t.Context(), room.ID, 10)
	check(t, err)
	if len(calls) != 5 {
		t.Fatalf("%d calls", len(calls))
	}
	for i, c := range calls {
		if c.Seq != int64(i)+1 || c.State != tables.CallSending || c.Attempt != 2 || !c.Notified || len(c.Data) != 0 ||
			c.Sender.String() != "ann@example.org/phone" || c.Since.UnixMicro() != 8 || c.Created.UnixMicro() != 7 {
			t.Errorf("call %d is %+v", i, c)
		}
	}
	for i := range int64(5) {
		echoes, err := g.Echoes(t.Context(), room.ID, transports.MessageID(fmt.Sprint(i+1)), time.Now())
		if err != nil || len(echoes) != int(i%2) {
			t.Errorf("the echoes of call %d: %v %v", i, echoes, err)
		}
	}
	states := map[transports.LoginID]json.RawMessage{}
	for i := range 3 {
		l := tables.Login{ID: transports.LoginID(fmt.Sprint(i)), Owner: jid.MustParse("ann@example.org"), User: transports.UserID(fmt.Sprint(i)), Status: tables.StatusLinked, Secret: tables.Sealed{Key: "k", Box: []byte("x")}}
		check(t, g.PutLogin(t.Context(), l))
		states[l.ID] = json.RawMessage(fmt.Sprint(i))
	}
	_, err = g.Receive(t.Context(), nil, states)
	check(t, err)
	logins, err := g.Logins(t.Context())
	check(t, err)
	if len(logins) != 3 {
		t.Fatalf("%d logins", len(logins))
	}
	for _, l := range logins {
		if string(l.State) != string(l.ID) {
			t.Errorf("the state of %s is %s", l.ID, l.State)
		}
	}
}

// BenchmarkCommitCalls writes batches of 16 calls.
func BenchmarkCommitCalls(b *testing.B) {
	s, err := store.Open(b.Context(), store.Options{URL: storetest.URL(b)})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	database, err := tables.Open(b.Context(), s)
	if err != nil {
		b.Fatal(err)
	}
	g, err := database.Gateway(b.Context(), domain)
	if err != nil {
		b.Fatal(err)
	}
	room, err := g.PutRoom(b.Context(), tables.Room{Key: "plaza", Net: "plaza", Kind: transports.Public})
	if err != nil {
		b.Fatal(err)
	}
	const size = 16
	b.ResetTimer()
	for i := range b.N {
		if err := g.Commit(b.Context(), callsBatch(room.ID, int64(i*size), size)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*size), "µs/call")
}
