package portable

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// line is a record as JSON. Fields that repeat what XML says are for readers; they are ignored when a line is imported.
type line struct {
	Account     string       `json:"account"`
	Kind        string       `json:"kind"`
	Created     *time.Time   `json:"created,omitempty"`
	Key         *jsonKey     `json:"key,omitempty"`
	Contact     *jsonContact `json:"contact,omitempty"`
	JID         string       `json:"jid,omitempty"`
	Preferences *jsonPrefs   `json:"preferences,omitempty"`
	Message     *jsonMessage `json:"message,omitempty"`
	Item        *jsonItem    `json:"item,omitempty"`
	Node        string       `json:"node,omitempty"`
	XML         string       `json:"xml,omitempty"`
}

type jsonItem struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
}

type jsonKey struct {
	Mechanism  string `json:"mechanism"`
	Iterations int    `json:"iterations"`
	Salt       []byte `json:"salt"`
	StoredKey  []byte `json:"stored_key"`
	ServerKey  []byte `json:"server_key"`
}

type jsonContact struct {
	JID          string   `json:"jid"`
	Name         string   `json:"name,omitempty"`
	Groups       []string `json:"groups,omitempty"`
	Subscription string   `json:"subscription"`
	Ask          bool     `json:"ask,omitempty"`
	Approved     bool     `json:"approved,omitempty"`
}

type jsonPrefs struct {
	Default string   `json:"default"`
	Always  []string `json:"always,omitempty"`
	Never   []string `json:"never,omitempty"`
}

type jsonMessage struct {
	ID   string    `json:"id"`
	At   time.Time `json:"at"`
	From string    `json:"from,omitempty"`
	To   string    `json:"to,omitempty"`
	Body string    `json:"body,omitempty"`
}

// The kinds of lines.
const (
	kindMade        = "account"
	kindKey         = "key"
	kindContact     = "contact"
	kindRequest     = "request"
	kindVCard       = "vcard"
	kindPrivate     = "private"
	kindBlocked     = "blocked"
	kindNode        = "node"
	kindItem        = "item"
	kindPreferences = "preferences"
	kindOffline     = "offline"
	kindArchived    = "archived"
)

// JSONWriter writes records as lines of JSON. Call Close at the end.
type JSONWriter struct{ out *bufio.Writer }

// NewJSONWriter returns a JSONWriter.
func NewJSONWriter(w io.Writer) *JSONWriter { return &JSONWriter{bufio.NewWriterSize(w, 64<<10)} }

// Write writes a record.
func (w *JSONWriter) Write(r Record) error {
	text, err := json.Marshal(newLine(r))
	if err != nil {
		return fmt.Errorf("write record of %s: %w", r.Account, err)
	}
	_, err = w.out.Write(append(text, '\n'))
	return err
}

// Close writes what is left.
func (w *JSONWriter) Close() error { return w.out.Flush() }

func newLine(r Record) line {
	l := line{Account: r.Account.String()}
	switch {
	case r.Made != nil:
		l.Kind, l.Created = kindMade, &r.Made.Created
	case r.Key != nil:
		k := r.Key
		l.Kind, l.Key = kindKey, &jsonKey{"SCRAM-" + k.Hash.String(), k.Iterations, k.Salt, k.StoredKey, k.ServerKey}
	case r.Contact != nil:
		c := r.Contact
		l.Kind, l.Contact = kindContact, &jsonContact{c.JID.String(), c.Name, c.Groups, string(c.Subscription), c.Ask, c.Approved}
	case r.Request != nil:
		l.Kind, l.JID, l.XML = kindRequest, r.Request.From.String(), client(r.Request)
	case r.VCard != nil:
		l.Kind, l.XML = kindVCard, r.VCard.String()
	case r.Private != nil:
		l.Kind, l.XML = kindPrivate, r.Private.String()
	case !r.Blocked.IsZero():
		l.Kind, l.JID = kindBlocked, r.Blocked.String()
	case r.Node != nil:
		l.Kind, l.Node, l.XML = kindNode, r.Node.Node, r.Node.XML.String()
	case r.Item != nil:
		l.Kind, l.Node, l.Item, l.XML = kindItem, r.Item.Node, &jsonItem{r.Item.ID, r.Item.At.UTC()}, r.Item.Payload
	case r.Preferences != nil:
		p := r.Preferences
		l.Kind, l.Preferences = kindPreferences, &jsonPrefs{string(p.Default), texts(p.Always), texts(p.Never)}
	case r.Offline != nil:
		l.Kind = kindOffline
		l.message(r.Offline)
	case r.Archived != nil:
		l.Kind = kindArchived
		l.message(r.Archived)
	}
	return l
}

func (l *line) message(m *Message) {
	l.Message = &jsonMessage{m.ID, m.At.UTC(), m.Stanza.From.String(), m.Stanza.To.String(), m.Stanza.Body()}
	l.XML = client(m.Stanza)
}

// ReadJSON reads lines of JSON.
func ReadJSON(in io.Reader) func(yield func(Record, error) bool) {
	return func(yield func(Record, error) bool) {
		lines := bufio.NewScanner(in)
		lines.Buffer(nil, maxLine)
		for n := 1; lines.Scan(); n++ {
			if len(bytes.TrimSpace(lines.Bytes())) == 0 {
				continue
			}
			r, err := parseLine(lines.Bytes())
			if err != nil {
				err = fmt.Errorf("line %d: %w", n, err)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(Record{}, err)
		}
	}
}

func parseLine(text []byte) (r Record, err error) {
	var l line
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(&l); err != nil {
		return r, err
	}
	if r.Account, err = jid.Parse(l.Account); err != nil {
		return r, fmt.Errorf("account %q: %w", l.Account, err)
	}
	err = l.fill(&r)
	return r, err
}

var errIncomplete = errors.New("a field that this kind of line needs is missing")

// fill sets the field of a record that the line is about.
func (l *line) fill(r *Record) (err error) {
	switch {
	case l.Kind == kindMade:
		r.Made = &Made{}
		if l.Created != nil {
			r.Made.Created = *l.Created
		}
	case l.Kind == kindKey && l.Key != nil:
		r.Key, err = l.Key.parse()
	case l.Kind == kindContact && l.Contact != nil:
		r.Contact, err = l.Contact.parse()
	case l.Kind == kindRequest:
		r.Request, err = l.stanza()
	case l.Kind == kindVCard:
		r.VCard, err = stanza.ParseElement(l.XML, "")
	case l.Kind == kindPrivate:
		r.Private, err = stanza.ParseElement(l.XML, "")
	case l.Kind == kindBlocked:
		r.Blocked, err = jid.Parse(l.JID)
	case l.Kind == kindNode:
		r.Node, err = l.nodePart()
	case l.Kind == kindItem && l.Item != nil:
		r.Item, err = l.item()
	case l.Kind == kindPreferences && l.Preferences != nil:
		r.Preferences, err = l.Preferences.parse()
	case l.Kind == kindOffline && l.Message != nil:
		r.Offline, err = l.stored()
	case l.Kind == kindArchived && l.Message != nil:
		r.Archived, err = l.stored()
	case l.Kind == "":
		return errIncomplete
	default:
		r.Unknown = fmt.Sprintf("a line of kind %q is not imported", l.Kind)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", l.Kind, err)
	}
	return nil
}

func (l *line) stored() (*Message, error) {
	st, err := l.stanza()
	if err != nil {
		return nil, err
	}
	if st.Kind != stanza.Message || l.Message.At.IsZero() {
		return nil, errIncomplete
	}
	return &Message{ID: l.Message.ID, At: l.Message.At.UTC(), Stanza: st}, nil
}

func (l *line) stanza() (*stanza.Stanza, error) {
	x, err := stanza.ParseElement(l.XML, stanza.NSClient)
	if err != nil {
		return nil, err
	}
	st, err := stanza.FromElement(x)
	if err == nil && st.From.IsZero() {
		return nil, errIncomplete
	}
	return st, err
}

func (l *line) nodePart() (*NodePart, error) {
	x, err := stanza.ParseElement(l.XML, "")
	return &NodePart{l.Node, x}, err
}

// item checks the payload, which becomes a part of stanzas.
func (l *line) item() (*NodeItem, error) {
	if l.XML != "" {
		x, err := stanza.ParseElement(l.XML, "")
		if err != nil {
			return nil, err
		}
		l.XML = x.String()
	}
	return &NodeItem{l.Node, pubsub.Item{ID: l.Item.ID, At: l.Item.At.UTC(), Payload: l.XML}}, nil
}

func texts(list []jid.JID) (all []string) {
	for _, j := range list {
		all = append(all, j.String())
	}
	return all
}

func (p *jsonPrefs) parse() (*archive.Prefs, error) {
	x := stanza.NewElement(archive.NS, "prefs").With("default", p.Default)
	for name, list := range map[string][]string{"always": p.Always, "never": p.Never} {
		part := stanza.NewElement(archive.NS, name)
		for _, j := range list {
			part.Add(stanza.TextElement(archive.NS, "jid", j))
		}
		x.Add(part)
	}
	prefs, err := archive.ParsePrefs(x)
	return &prefs, err
}

func (k *jsonKey) parse() (*Key, error) {
	hash, ok := sasl.ParseHash(trimSCRAM(k.Mechanism))
	if !ok {
		return nil, fmt.Errorf("unknown mechanism %q", k.Mechanism)
	}
	return &Key{hash, sasl.Key{Salt: k.Salt, Iterations: k.Iterations, StoredKey: k.StoredKey, ServerKey: k.ServerKey}}, nil
}

func (c *jsonContact) parse() (*roster.Item, error) {
	contact, err := jid.Parse(c.JID)
	if err != nil {
		return nil, err
	}
	item := &roster.Item{JID: contact.Bare(), Name: c.Name, Groups: c.Groups, Subscription: roster.Subscription(c.Subscription), Ask: c.Ask, Approved: c.Approved}
	switch item.Subscription {
	case roster.None, roster.To, roster.From, roster.Both:
		return item, nil
	}
	return nil, fmt.Errorf("subscription %q", c.Subscription)
}
