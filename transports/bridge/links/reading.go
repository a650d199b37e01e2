package links

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

// Limits of what is read after a gap.
const (
	missedPage   = 100
	maxMissed    = 10_000           // messages; those before them are left out
	historyTime  = 10 * time.Second // for the history of a room without an archive to come
	clockSlack   = time.Minute      // by how much the clock of the room's server may be ahead
	maxLiveQueue = maxWaiting       // messages that come meanwhile
)

// missed reads what was said while the link was not in the room.
type missed struct {
	query string     // id of the query whose results come
	page  []received // of that query
	count int        // counted from the newest message backwards
	left  bool       // there are more than maxMissed: the first ones are left out
	live  []received // come meanwhile, in order
}

// received is a message of the linked room.
type received struct {
	st *stanza.Stanza
	id string // that the room has given it (XEP-0359); "" where it gives none
	at time.Time
	// author is as authorOf gives it.
	author string
	// replayed tells that it may have been sent by an occupant of the link before this one was in the room.
	replayed bool
	// carried tells that a link has sent it: whoever knows by which id one will come must not take its place.
	carried bool
}

// since is the time from which on messages may be missing on either side.
func (l *link) since() time.Time {
	at := l.in.seenAt
	for _, s := range l.out.pending {
		if s.state == sent && s.at.Before(at) {
			at = s.at
		}
	}
	return at.Add(-clockSlack)
}

// readMissed reads what was said meanwhile from the archive; without one the history comes by itself, and ends with the
// subject (XEP-0045 §7.2.15).
func (l *link) readMissed(ctx context.Context) {
	for more := true; more && len(l.out.pending) < 2*readAhead; { // what was sent before is recognised by its id
		before := l.out.last
		if err := l.readArchive(ctx); err != nil {
			l.retry("the archive of the channel cannot be read")
			return
		}
		more = l.out.last != before
	}
	if !l.room.archive {
		l.after(historyTime, l.caughtUp)
		return
	}
	l.countMissed(l.in.seen, "")
}

// countMissed asks for a page of what is behind an id or, without one, behind a time, from the newest backwards: where there is more than
// one page, that tells where to begin, without what is read having to be kept until then.
func (l *link) countMissed(after, before string) {
	rsm := stanza.NewElement(convert.NSRSM, "set").Add(stanza.TextElement(convert.NSRSM, "max", strconv.Itoa(missedPage)),
		stanza.NewElement(convert.NSRSM, "before").AddText(before)) // XEP-0059 §2.5
	if after != "" {
		rsm.Add(stanza.TextElement(convert.NSRSM, "after", after))
	}
	l.queryPage(rsm, after == "", func(ctx context.Context, answer *stanza.Stanza) { l.pageCounted(ctx, after, answer) })
}

// queryMissed asks for the next page in order (XEP-0313 §4): what is behind an id or, without one, behind a time.
func (l *link) queryMissed(after string) {
	rsm := stanza.NewElement(convert.NSRSM, "set").Add(stanza.TextElement(convert.NSRSM, "max", strconv.Itoa(missedPage)))
	if after != "" {
		rsm.Add(stanza.TextElement(convert.NSRSM, "after", after))
	}
	l.queryPage(rsm, after == "", func(ctx context.Context, answer *stanza.Stanza) { l.pageRead(ctx, after, answer) })
}

func (l *link) queryPage(rsm *stanza.Element, byTime bool, answered func(context.Context, *stanza.Stanza)) {
	l.missed.query, l.missed.page = stanza.NewID(), nil
	f := form.New(form.Submit, convert.NSMAM, "")
	if byTime {
		f.Text("start", "", message.Stamp(l.since()))
	}
	query := stanza.NewElement(convert.NSMAM, "query").With("queryid", l.missed.query).Add(f.Element(), rsm)
	l.ask(l.row.Address, stanza.TypeSet, query, answered)
}

// missedMessage takes a result of the query (XEP-0313 §4.1).
func (l *link) missedMessage(st *stanza.Stanza) {
	x := st.Child(convert.NSMAM, "result")
	if l.phase != reading || x.Attr("queryid") != l.missed.query || len(l.missed.page) > missedPage {
		return
	}
	forwarded := x.Child(convert.NSForward, "forwarded")
	if forwarded == nil {
		return
	}
	inner := forwarded.Child("jabber:client", "message")
	if inner == nil {
		return
	}
	m, err := stanza.FromElement(inner)
	if err != nil || m.From.Bare() != l.row.Address {
		return
	}
	r := received{st: m, id: x.Attr("id"), author: l.authorOf(m, true), replayed: true}
	if delay := forwarded.Child(message.NSDelay, "delay"); delay != nil {
		r.at, _ = time.Parse(time.RFC3339, delay.Attr("stamp"))
	}
	l.missed.page = append(l.missed.page, r)
}

// unanswered handles a query that has no answer, or an error instead of one; false where it has a page. again is called where the id
// behind which was asked is in the archive no longer.
func (l *link) unanswered(ctx context.Context, after string, answer *stanza.Stanza, again func()) bool {
	switch {
	case l.phase != reading:
	case answer == nil:
		l.retry("its archive does not answer")
	case answer.Type != stanza.TypeError:
		return false
	case answer.Err().Condition == "item-not-found" && after != "":
		again()
	default:
		l.links.env.Log.Warn("the archive of a linked room cannot be read: messages may be missing", "room", l.row.Address.String(), "condition", answer.Err().Condition)
		l.caughtUp(ctx)
	}
	return true
}

// complete reports whether a page is the last one of its direction.
func complete(page []received, answer *stanza.Stanza) bool {
	fin := answer.Child(convert.NSMAM, "fin")
	return len(page) == 0 || fin == nil || fin.Attr("complete") == "true"
}

// pageCounted goes on with the page before, or begins to read.
func (l *link) pageCounted(ctx context.Context, after string, answer *stanza.Stanza) {
	if l.unanswered(ctx, after, answer, func() { l.missed.count = 0; l.countMissed("", "") }) {
		return
	}
	page := l.missed.page
	all := complete(page, answer)
	first := l.missed.count == 0
	l.missed.count += len(page)
	switch {
	case all && first: // nothing is missing that is not on this page
		for _, r := range page {
			l.take(ctx, r)
		}
		l.caughtUp(ctx)
	case all:
		l.queryMissed(after)
	case l.missed.count >= maxMissed:
		l.missed.left = true
		l.queryMissed(page[0].id)
	default:
		l.countMissed(after, page[0].id)
	}
}

// pageRead goes on with the next page, or with what has come meanwhile.
func (l *link) pageRead(ctx context.Context, after string, answer *stanza.Stanza) {
	if l.unanswered(ctx, after, answer, func() { l.queryMissed("") }) {
		return
	}
	page := l.missed.page
	for _, r := range page {
		l.take(ctx, r)
	}
	if complete(page, answer) {
		l.caughtUp(ctx)
		return
	}
	l.queryMissed(page[len(page)-1].id)
}

// sayLeftOut says in the room that the channel does not have all that was said in it.
func (l *link) sayLeftOut() {
	st := stanza.NewMessage(l.row.Address, l.self(), stanza.TypeGroupchat, convert.Body(fmt.Sprintf(
		"More than %s messages were sent here while this room was not connected to %s. The oldest of them were not sent on.",
		stanza.Thousands(maxMissed), convert.RoomTitle(l.channel))))
	st.ID = stanza.NewID()
	l.send(st)
}

// caughtUp goes on with what has come meanwhile, and with what waits to be sent.
func (l *link) caughtUp(ctx context.Context) {
	if l.phase != reading {
		return
	}
	if l.begun != nil { // the row has a cause until now
		if err := l.links.store.SetLinkCause(ctx, l.id, ""); err != nil {
			l.retry("that it works cannot be kept")
			return
		}
	}
	l.phase = live
	l.report(nil)
	waiting := l.missed.live
	if l.missed.left {
		l.sayLeftOut()
	}
	l.missed = missed{}
	for _, r := range waiting {
		l.take(ctx, r)
	}
	l.out.resend()
	l.links.env.Log.Info("a room is linked", "room", l.row.Address.String(), "channel", string(l.channel.Net))
}

// groupchat takes a message of the room.
func (l *link) groupchat(ctx context.Context, st *stanza.Stanza) {
	if reconfigured(st) && l.phase >= reading {
		l.distrust()
		l.askFeatures(func(context.Context) {})
	}
	r := received{st: st, id: l.roomID(st), author: l.authorOf(st, false), at: l.links.env.Now(), replayed: l.phase != live}
	if delay := st.Child(message.NSDelay, "delay"); delay != nil {
		if at, err := time.Parse(time.RFC3339, delay.Attr("stamp")); err == nil {
			r.at = at
		}
	}
	subject := l.noteSubject(r)
	switch {
	case subject && l.phase == live: // carryTopics compares it
	case l.phase == live && l.typing(r):
	case l.phase == live:
		l.take(ctx, r)
	case l.phase != reading:
	case l.room.archive && len(l.missed.live) < maxLiveQueue:
		l.missed.live = append(l.missed.live, r)
	case l.room.archive:
		l.links.again(l.id)
	case subject:
		l.caughtUp(ctx)
	default:
		l.take(ctx, r)
	}
}
