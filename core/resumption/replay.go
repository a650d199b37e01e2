package resumption

import (
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Receiver is a session as far as it decides which messages it gets.
type Receiver struct {
	JID       jid.JID
	Available bool // it gets messages to the bare JID
	Carbons   bool
}

// Replay returns what a session was delivered of an archived message: the message itself or a copy, nil if it was delivered nothing.
func (r Receiver) Replay(e archive.Entry) *stanza.Stanza {
	st, account := e.Stanza, r.JID.Bare()
	switch {
	case st == nil: // deleted meanwhile
		return nil
	case st.To.Bare() == account:
		return r.received(e, account)
	case st.From == r.JID || !r.Carbons || !message.Copyable(st, message.Sent):
		return nil
	}
	return message.Carbon(st, message.Sent, r.JID)
}

func (r Receiver) received(e archive.Entry, account jid.JID) *stanza.Stanza {
	st := message.WithStanzaID(message.WithoutStanzaID(e.Stanza, account), account, e.ID)
	st.Entry = e.ID
	switch {
	case st.To == r.JID, st.To.IsBare() && r.Available:
		return st
	case !r.Carbons || st.From == r.JID || !message.Copyable(st, message.Received):
		return nil
	}
	return message.Carbon(st, message.Received, r.JID)
}

// Merge returns the messages of an archive and the stored stanzas in the order of their times. A message that is among both is taken
// from the stored ones.
func Merge(stored, archived []Stanza) []Stanza {
	known := map[string]bool{}
	for _, s := range stored {
		known[s.Stanza.Entry] = true
	}
	list := slices.Clone(stored)
	for _, s := range archived {
		if s.Stanza.Entry == "" || !known[s.Stanza.Entry] {
			list = append(list, s)
		}
	}
	slices.SortStableFunc(list, func(a, b Stanza) int { return a.At.Compare(b.At) })
	return list
}

// Keeper decides which stanzas of an account are stored because they are nowhere else.
type Keeper struct{ own string }

// NewKeeper returns the keeper of an account.
func NewKeeper(account jid.JID) Keeper {
	text := string(message.AppendStanzaID(nil, account, "x"))
	return Keeper{text[:strings.Index(text, " id=")]}
}

// Alone reports whether a stanza is to be stored when it is delivered: it cannot be restored otherwise. Messages that are in the archive or in
// offline storage have an id there; rooms send their history, and presence is asked for again.
func (k Keeper) Alone(st *stanza.Stanza) bool {
	switch st.Kind {
	case stanza.IQ:
		return st.Type == stanza.TypeSet && st.From.Resource() == "" // a push: a change of the roster or the block list
	case stanza.Presence:
		switch st.Type {
		case stanza.TypeSubscribe, stanza.TypeSubscribed, stanza.TypeUnsubscribe, stanza.TypeUnsubscribed:
			return true
		}
		return false
	}
	switch {
	case st.Entry != "" && strings.Contains(st.Payload, k.own), st.From == st.To.Bare():
		return false
	case st.Type == stanza.TypeError:
		return true
	}
	return message.Offline(st)
}
