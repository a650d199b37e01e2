package conference

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// answer waits for something to be sent, and returns it.
func (f *fixture) answer() string {
	f.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if got := f.sink.take(); got != "" {
			return got
		}
	}
	f.t.Fatal("no answer")
	return ""
}

func (f *fixture) asks(who string) {
	f.in(stanza.NewIQ(lobby, jid.MustParse(who+"@example.org/x"), stanza.TypeSet, stanza.NewElement(archive.NS, "query")))
	f.settle()
}

// TestNobodyWaitsForAQuery: while archives are read, however long that takes, messages go on; whoever asks has one query at a time, and
// does not keep others from asking.
func TestNobodyWaitsForAQuery(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.store.reading = make(chan chan Page, 2*archiveReaders)
	for range 10 {
		f.asks("ann")
	}
	first := <-f.store.reading
	f.says("ann", "meanwhile")
	f.settle()
	f.store.commit(1)
	f.settle()
	if got := f.sink.take(); got != "ann: message meanwhile, bob: message meanwhile" {
		t.Errorf("while the archive is read: %q", got)
	}
	f.asks("bob")
	second := <-f.store.reading // Bob's: of Ann's queries one runs
	if len(f.store.reading) != 0 {
		t.Error("two queries of one address run at once")
	}
	second <- Page{}
	if got := f.answer(); got != "bob: iq " {
		t.Errorf("Bob gets %q", got)
	}
	first <- Page{}
	for range 9 {
		page := <-f.store.reading
		page <- Page{}
	}
	for got := ""; strings.Count(got, "ann: iq ") < 10; got += f.answer() {
	}
}

// TestForeignQueries: accounts of this server do not wait for queries of addresses that another server has made up.
func TestForeignQueries(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.store.reading = make(chan chan Page, 2*archiveReaders)
	for i := range archiveReaders + 1 {
		f.in(stanza.NewIQ(lobby, jid.MustParse(fmt.Sprintf("x%d@evil.test/y", i)), stanza.TypeSet, stanza.NewElement(archive.NS, "query")))
		f.settle()
	}
	var foreign []chan Page
	for range foreignReaders {
		foreign = append(foreign, <-f.store.reading)
	}
	f.asks("ann")
	page := <-f.store.reading
	page <- Page{}
	if got := f.answer(); got != "ann: iq " {
		t.Errorf("Ann gets %q", got)
	}
	for range archiveReaders + 1 - foreignReaders {
		foreign[0] <- Page{}
		foreign = append(foreign[1:], <-f.store.reading)
	}
	for _, page := range foreign {
		page <- Page{}
	}
}

// TestQueriesAreLimited: neither one address nor all together can have more queries wait than are permitted.
func TestQueriesAreLimited(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.store.reading = make(chan chan Page, 1)
	c := config.Default().Rooms
	c.ArchiveQueries = 6
	f.SetConfig(c)
	f.asks("ann")
	first := <-f.store.reading
	f.asks("ann")
	f.asks("ann")
	if got := f.answer(); got != "ann: error policy-violation" || f.Counters.Queries.Load() != 1 {
		t.Errorf("beyond the rate: %q, counted %d", got, f.Counters.Queries.Load())
	}
	c.ArchiveQueries = 0
	f.SetConfig(c)
	for range maxQueries {
		f.asks("ann")
	}
	if got := f.answer(); got != "ann: error resource-constraint" {
		t.Errorf("more than may wait: %q", got)
	}
	first <- Page{}
	for range maxQueries {
		page := <-f.store.reading
		page <- Page{}
	}
	for answers := 0; answers < maxQueries+1; {
		answers += strings.Count(f.answer(), "ann: iq ")
	}
}

// TestPrivateMessagesAreLimited: whoever may write so much to a room may not write more to single people in it, or to people whom it
// invites, or to its admins.
func TestPrivateMessagesAreLimited(t *testing.T) {
	t.Parallel()
	private := func(f *fixture, i int) {
		at, _ := lobby.WithResource("ann")
		f.in(stanza.NewMessage(at, jid.MustParse("bob@example.org/x"), stanza.TypeChat, stanza.TextElement("", "body", fmt.Sprint(i))))
	}
	invite := func(f *fixture, i int) {
		x := stanza.NewElement(muc.NSUser, "x").Add(stanza.NewElement(muc.NSUser, "invite").With("to", fmt.Sprintf("p%d@example.org", i)))
		f.in(stanza.NewMessage(lobby, jid.MustParse("bob@example.org/x"), "", x))
	}
	many := func(f *fixture, _ int) {
		x := stanza.NewElement(muc.NSUser, "x")
		for i := range 3 {
			x.Add(stanza.NewElement(muc.NSUser, "invite").With("to", fmt.Sprintf("p%d@example.org", i)))
		}
		f.in(stanza.NewMessage(lobby, jid.MustParse("bob@example.org/x"), "", x))
	}
	subject := func(f *fixture, i int) {
		f.in(stanza.NewMessage(lobby, jid.MustParse("ann@example.org/x"), stanza.TypeGroupchat, stanza.TextElement("", "subject", fmt.Sprint(i))))
	}
	for name, c := range map[string]struct {
		send  func(*fixture, int)
		times int
		want  string
	}{
		"private messages":       {private, 3, "bob: error policy-violation"},
		"invitations":            {invite, 3, "bob: error policy-violation"},
		"many people at once":    {many, 1, "bob: error policy-violation"},
		"changes of the subject": {subject, 3, "ann: error policy-violation"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			settings := config.Default().Rooms
			settings.Messages = 6 // two at once
			f.SetConfig(settings)
			for i := range c.times {
				c.send(f, i)
			}
			f.settle()
			got := f.sink.take()
			if !strings.Contains(got, c.want) || strings.Count(got, ": ") > c.times {
				t.Errorf("got %q, want two at most, and %q", got, c.want)
			}
			if f.Counters.Rate.Load() != 1 {
				t.Errorf("counted %d", f.Counters.Rate.Load())
			}
		})
	}
}
