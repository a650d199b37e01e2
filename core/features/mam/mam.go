package mam

import (
	"context"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of this feature.
const (
	nsStanzaID = "urn:xmpp:sid:0" // XEP-0359
	nsHints    = "urn:xmpp:hints" // XEP-0334
)

// Store keeps the archives.
type Store interface {
	archive.Store
	archive.PrefsStore
	// Archive does not wait; done is called by the store's writer after the commit.
	Archive(account jid.JID, e archive.Entry, done func(error))
}

// Options are what the feature is joined to; each may be nil.
type Options struct {
	// Listed tells whether a contact is in the account's roster.
	Listed func(ctx context.Context, account, contact jid.JID) (bool, error)
	Log    *slog.Logger
}

// Archive keeps the archives of one host's accounts.
type Archive struct {
	Options
	store  Store
	engine *archive.Engine
	prefs  *prefs
}

// New registers the feature; Stage joins it to the messages.
func New(h *router.Host, s Store, o Options) *Archive {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	a := &Archive{Options: o, store: s, prefs: newPrefs(s)}
	a.engine = archive.New(archive.Options{Store: &noting{s, a.prefs}})
	h.HandleIQ(archive.NS, router.Own(a.iq))
	return a
}

// Features are what disco#info of the host and of each account says about this feature
// (XEP-0313 §7).
func (a *Archive) Features() []string { return append(a.engine.Features(false), nsStanzaID) }

// Stage archives.
func (a *Archive) Stage() router.Stage {
	return router.Stage{Name: "archive", Outbound: a.sent, Inbound: a.received}
}

func (a *Archive) iq(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	r := archive.Request{Archive: q.Account, IQ: q.Stanza}
	return a.engine.Handle(ctx, r, func(st *stanza.Stanza) { q.Deliver(q.Session, st) })
}

func (a *Archive) sent(ctx context.Context, p *router.Pass) error {
	st := p.Stanza
	if st.Kind != stanza.Message || st.To.Bare() == p.Account { // what goes to oneself is archived as it comes in
		return nil
	}
	if a.wanted(ctx, p, st.To) {
		a.keep(p, stanza.NewID())
	}
	return nil
}

func (a *Archive) received(ctx context.Context, p *router.Pass) error {
	if p.Stanza.Kind != stanza.Message {
		return nil
	}
	if mayName(p.Stanza.Payload, p.Account.String()) { // XEP-0359 §6
		p.Stanza = p.Stanza.Without(func(e *stanza.Element) bool {
			return e.Is(nsStanzaID, "stanza-id") && names(e.Attr("by"), p.Account)
		})
	}
	if !a.wanted(ctx, p, p.Stanza.From) {
		return nil
	}
	id := stanza.NewID()
	p.Stanza = p.Stanza.With(stanza.NewElement(nsStanzaID, "stanza-id").With("by", p.Account.String()).With("id", id))
	a.keep(p, id)
	return nil
}

// mayName tells whether XML may have a stanza-id by that address, without reading it as XML: a room's message
// has the room's id and goes to everybody there.
func mayName(xml, account string) bool {
	for range maxStanzaIDs {
		_, rest, found := strings.Cut(xml, "stanza-id") // names cannot be written otherwise
		if !found {
			return false
		}
		xml = rest
		if mayHold(rest[:tagEnd(rest)], account) {
			return true
		}
	}
	return true
}

// maxStanzaIDs is how many are looked at as text, since each look may go to the end.
const maxStanzaIDs = 4

// tagEnd is where a start tag ends, of which the rest is given.
func tagEnd(tag string) int {
	var quote byte
	for i := range len(tag) {
		switch c := tag[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '>':
			return i
		}
	}
	return len(tag)
}

// mayHold tells whether a value in there may be that address, however it is written. Where all is ASCII and
// nothing is escaped, the letters tell.
func mayHold(tag, account string) bool {
	return strings.Contains(tag, "&") || !ascii(tag) || !ascii(account) || strings.Contains(strings.ToLower(tag), account)
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// names tells whether text is that address, however it is written.
func names(text string, account jid.JID) bool {
	j, err := jid.Parse(text)
	return err == nil && j == account
}

func (a *Archive) keep(p *router.Pass, id string) {
	if p.Unknown {
		return
	}
	kept, account := p.Promise(), p.Account
	a.store.Archive(account, archive.Entry{ID: id, At: time.Now(), Stanza: p.Stanza}, func(err error) {
		if err != nil {
			a.Log.Log(context.Background(), level(err), "message not archived", "account", account, "err", err)
		}
		kept(err)
	})
}

// level is that of an error: what the store has told the operator itself is not told again
// for every message.
func level(err error) slog.Level {
	if stanza.Temporary(err) {
		return slog.LevelDebug
	}
	return slog.LevelError
}

// wanted tells whether a message belongs into the account's archive.
func (a *Archive) wanted(ctx context.Context, p *router.Pass, contact jid.JID) bool {
	if !archivable(p.Stanza) {
		return false
	}
	prefs, err := a.prefs.of(ctx, p.Account)
	if err != nil {
		a.Log.Error("archive preferences not read", "account", p.Account, "err", err)
		return true // rather too much than a message lost
	}
	listed := false
	if prefs.Default == archive.Roster && a.Listed != nil {
		if listed, err = a.Listed(ctx, p.Account, contact.Bare()); err != nil {
			a.Log.Error("roster not looked up", "account", p.Account, "err", err)
			return true
		}
	}
	return prefs.Archives(contact, listed)
}

// archivable tells whether a message says anything that will matter later (XEP-0313 §3,
// XEP-0334 §4).
func archivable(st *stanza.Stanza) bool {
	switch st.Type {
	case stanza.TypeGroupchat, stanza.TypeHeadline, stanza.TypeError: // groupchat is the room's affair
		return false
	}
	if strings.HasPrefix(st.Payload, "<body>") && !st.MayHave(nsHints, "store") {
		return true // nearly all of them, without a tree
	}
	some := false
	for e := range st.Tree().Elements() {
		switch {
		case e.Is(nsHints, "no-store"), e.Is(nsHints, "no-permanent-store"):
			return false
		case e.Is(nsHints, "store"):
			some = true
		case !passing(e):
			some = true
		}
	}
	return some
}

// passing tells whether an element is of the moment only, or about the message itself.
func passing(e *stanza.Element) bool {
	switch e.Space {
	case nsHints, nsStanzaID, "http://jabber.org/protocol/chatstates", "urn:xmpp:delay", "jabber:x:delay", "http://jabber.org/protocol/nick":
		return true
	case stanza.NSClient:
		return e.Local == "thread"
	}
	return false
}
