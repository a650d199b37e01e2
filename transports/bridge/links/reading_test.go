package links

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/mailbox"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// archiveOf answers the queries of a link like a room in whose archive are messages with the ids 1 to n.
type archiveOf struct {
	l    *link
	n    int
	sent []*stanza.Stanza
}

func newArchiveOf(t *testing.T, n int) *archiveOf {
	a := &archiveOf{n: n}
	env := &gateway.Env{Domain: jid.MustParse("net.example.org"), Log: slog.New(slog.DiscardHandler), Now: time.Now, Send: func(st *stanza.Stanza) { a.sent = append(a.sent, st) }}
	x := &Links{env: env}
	x.boxes = mailbox.New(t.Context(), mailbox.Options[int64, *link]{New: func(int64) *link { return &link{} }})
	t.Cleanup(func() { x.boxes.Stop(context.Background()) })
	a.l = newLink(x, 1)
	a.l.row = tables.Link{ID: 1, Address: jid.MustParse("garden@rooms.example.org")}
	a.l.phase, a.l.room.archive = reading, true
	return a
}

// next answers the query that was sent last, and returns how it asked: "before x", "after x", or both.
func (a *archiveOf) next(t *testing.T) string {
	t.Helper()
	iq := a.sent[len(a.sent)-1]
	set := iq.Child(convert.NSMAM, "query").Child(convert.NSRSM, "set")
	first, last := 1, a.n
	asked := ""
	if after := set.ChildText(convert.NSRSM, "after"); after != "" {
		n, _ := strconv.Atoi(after)
		first, asked = n+1, "after "+after
	}
	backwards := set.Child(convert.NSRSM, "before")
	if backwards != nil {
		asked = strings.TrimSpace("before " + backwards.Text() + " " + asked)
		if n, err := strconv.Atoi(backwards.Text()); err == nil {
			last = n - 1
		}
	}
	complete := last-first < missedPage
	switch {
	case complete:
	case backwards != nil:
		first = last - missedPage + 1
	default:
		last = first + missedPage - 1
	}
	for n := first; n <= last; n++ {
		inner := stanza.NewMessage(jid.JID{}, a.l.row.Address, stanza.TypeGroupchat, convert.Body(fmt.Sprint(n)))
		e, err := stanza.ParseElement(inner.String(), stanza.NSClient)
		if err != nil {
			t.Fatal(err)
		}
		result := stanza.NewElement(convert.NSMAM, "result").With("queryid", a.l.missed.query).With("id", strconv.Itoa(n)).
			Add(stanza.NewElement(convert.NSForward, "forwarded").Add(message.Delay(a.l.row.Address, time.Unix(int64(n), 0)), e))
		a.l.handle(t.Context(), stanza.NewMessage(a.l.self(), a.l.row.Address, "", result))
	}
	fin := stanza.NewElement(convert.NSMAM, "fin")
	if complete {
		fin.With("complete", "true")
	}
	iq = stanza.NewIQ(a.l.self(), a.l.row.Address, stanza.TypeResult, fin)
	iq.ID = a.sent[len(a.sent)-1].ID
	a.l.handle(t.Context(), iq)
	return asked
}

// TestMissedMessages: of more messages than are read, the newest are, and the room says so; nothing is read before it is known where to begin.
func TestMissedMessages(t *testing.T) {
	t.Parallel()
	a := newArchiveOf(t, 3*maxMissed)
	a.l.countMissed("1", "")
	queries := 0
	for strings.HasPrefix(a.next(t), "before") {
		if queries++; queries > 2*maxMissed/missedPage {
			t.Fatal("it goes back further than it reads")
		}
		if query := a.sent[len(a.sent)-1].Child(convert.NSMAM, "query"); query.Child(convert.NSRSM, "set").Child(convert.NSRSM, "before") == nil {
			break
		}
	}
	set := a.sent[len(a.sent)-1].Child(convert.NSMAM, "query").Child(convert.NSRSM, "set")
	if from := set.ChildText(convert.NSRSM, "after"); from != strconv.Itoa(2*maxMissed+1) || !a.l.missed.left {
		t.Errorf("it begins behind %s, left out: %t", from, a.l.missed.left)
	}
	a.l.sayLeftOut()
	if notice := a.sent[len(a.sent)-1]; notice.Type != stanza.TypeGroupchat || !strings.Contains(notice.Body(), "10,000") {
		t.Errorf("the room says %s", notice)
	}
	// A gap of some pages is counted, and read from its beginning.
	a = newArchiveOf(t, 250)
	a.l.countMissed("7", "")
	var asked []string
	for range 3 {
		asked = append(asked, a.next(t))
	}
	if got := strings.Join(asked, ", "); got != "before  after 7, before 151 after 7, before 51 after 7" || a.l.missed.left {
		t.Errorf("asked %s", got)
	}
	set = a.sent[len(a.sent)-1].Child(convert.NSMAM, "query").Child(convert.NSRSM, "set")
	if from := set.ChildText(convert.NSRSM, "after"); from != "7" {
		t.Errorf("it begins behind %s", from)
	}
}

// Who takes the nickname of somebody, and the id of a message of theirs, has not written it, as far as a link can know that later.
func TestWrote(t *testing.T) {
	t.Parallel()
	l := newArchiveOf(t, 0).l
	for _, known := range []bool{false, true} {
		l.room.occupantIDs = known
		nick, _ := l.occupant("Eve")
		st := stanza.NewMessage(l.self(), nick, stanza.TypeGroupchat, convert.Body("x"), stanza.NewElement(convert.NSOccupantID, "occupant-id").With("id", "of eve"))
		st.ID = "an id"
		author := l.authorOf(st, true)
		if got := (&translation{link: l, author: author}).wrote(tables.LinkMessage{Author: author}); got != known {
			t.Errorf("the author %q has written it: %v", author, got)
		}
	}
}
