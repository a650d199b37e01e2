package portable

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// userData reads one part of an account. The archive and the offline messages are read message by message.
func (r *xmlReader) userData(f *xmlFile, e xml.StartElement) error {
	switch {
	case is(e, nsArchive, "archive"):
		return f.children(func(e xml.StartElement) error { return r.message(f, e, archivedMessage) })
	case is(e, pubsub.NSOwner, "pubsub"):
		return f.children(func(e xml.StartElement) error { return r.nodeParts(f, e) })
	case is(e, pubsub.NS, "pubsub"):
		return f.children(func(e xml.StartElement) error { return r.nodeItems(f, e) })
	case is(e, NS, "offline-messages"):
		return f.children(func(e xml.StartElement) error { return r.message(f, e, r.offlineMessage) })
	}
	x, err := f.element(e)
	if err != nil {
		return err
	}
	for _, rec := range userRecords(x) {
		if err := r.record(rec); err != nil {
			return err
		}
	}
	return nil
}

// message reads one stored message.
func (r *xmlReader) message(f *xmlFile, e xml.StartElement, parse func(*stanza.Element) Record) error {
	x, err := f.element(e)
	if err != nil {
		return err
	}
	return r.record(parse(x))
}

func unknown(x *stanza.Element) Record {
	return Record{Unknown: fmt.Sprintf("<%s xmlns='%s'/> is not imported", x.Local, x.Space)}
}

// userRecords are the records in a child of the user element.
func userRecords(x *stanza.Element) []Record {
	switch {
	case x.Is(nsKeys, "scram-credentials"):
		return []Record{keyRecord(x)}
	case x.Is(nsRoster, "query"):
		return each(x, contactRecord)
	case x.Is(nsPrivate, "query"):
		return each(x, func(x *stanza.Element) Record { return Record{Private: x} })
	case x.Is(nsPrivacy, "query"):
		return privacyRecords(x)
	case x.Is(nsVCard, "vCard"):
		return []Record{{VCard: x}}
	case x.Is(archive.NS, "prefs"):
		p, err := archive.ParsePrefs(x)
		if err != nil {
			return []Record{unknown(x)}
		}
		return []Record{{Preferences: &p}}
	case (x.Is(stanza.NSClient, "presence") || x.Is(NS, "presence")) && x.Attr("type") == stanza.TypeSubscribe:
		st, err := stanza.FromElement(inClient(x))
		if err != nil || st.From.Local() == "" {
			return []Record{unknown(x)}
		}
		return []Record{{Request: st}}
	}
	return []Record{unknown(x)}
}

// inClient moves a stanza into the namespace of stanzas, which Prosody's migrator leaves out.
func inClient(x *stanza.Element) *stanza.Element {
	if x.Space != NS {
		return x
	}
	x = x.Clone()
	x.Space = stanza.NSClient
	for e := range x.Elements() {
		if e.Space == NS {
			e.Space = stanza.NSClient
		}
	}
	return x
}

func each(x *stanza.Element, parse func(*stanza.Element) Record) (list []Record) {
	for child := range x.Elements() {
		list = append(list, parse(child))
	}
	return list
}

// keyRecord reads a SCRAM key (XEP-0227 §4.3). ejabberd 23.01 encodes the values in base64 twice.
func keyRecord(x *stanza.Element) Record {
	hash, ok := sasl.ParseHash(trimSCRAM(x.Attr("mechanism")))
	if !ok {
		return Record{Unknown: fmt.Sprintf("a key for %q is not imported", x.Attr("mechanism"))}
	}
	k := Key{Hash: hash}
	var err error
	if k.Iterations, err = strconv.Atoi(x.ChildText(nsKeys, "iter-count")); err != nil {
		return Record{Unknown: "a key with a wrong number of iterations is not imported"}
	}
	values := [3][]byte{}
	for i, name := range []string{"salt", "stored-key", "server-key"} {
		if values[i], err = base64.StdEncoding.DecodeString(x.ChildText(nsKeys, name)); err != nil {
			return Record{Unknown: "a key that is not base64 is not imported"}
		}
	}
	if twice := decodeAgain(values); k.set(values).Valid(k.Hash) != nil && twice != nil {
		k.set(*twice)
	}
	return Record{Key: &k}
}

// trimSCRAM is the hash in the name of a mechanism.
func trimSCRAM(mechanism string) string {
	name, found := strings.CutPrefix(mechanism, "SCRAM-")
	if !found {
		return ""
	}
	return name
}

// set sets salt, stored key and server key.
func (k *Key) set(values [3][]byte) *Key {
	k.Salt, k.StoredKey, k.ServerKey = values[0], values[1], values[2]
	return k
}

// decodeAgain decodes values that are base64, or returns nil.
func decodeAgain(values [3][]byte) *[3][]byte {
	for i, v := range values {
		decoded, err := base64.StdEncoding.DecodeString(string(v))
		if err != nil {
			return nil
		}
		values[i] = decoded
	}
	return &values
}

func contactRecord(x *stanza.Element) Record {
	contact, err := jid.Parse(x.Attr("jid"))
	if err != nil || !x.Is(nsRoster, "item") {
		return Record{Unknown: fmt.Sprintf("the contact %q is not imported", x.Attr("jid"))}
	}
	item := roster.Item{
		JID: contact.Bare(), Name: x.Attr("name"), Subscription: roster.None,
		Ask: x.Attr("ask") == stanza.TypeSubscribe, Approved: x.Attr("approved") == "true" || x.Attr("approved") == "1",
	}
	switch s := roster.Subscription(x.Attr("subscription")); s {
	case roster.To, roster.From, roster.Both:
		item.Subscription = s
	}
	seen := map[string]bool{}
	for g := range x.Named(nsRoster, "group") {
		if name := g.Text(); name != "" && !seen[name] {
			seen[name] = true
			item.Groups = append(item.Groups, name)
		}
	}
	return Record{Contact: &item}
}

// privacyRecords reads the addresses that the default privacy list blocks (XEP-0016). ejabberd and Prosody write those of
// XEP-0191 as such a list.
func privacyRecords(x *stanza.Element) (list []Record) {
	chosen := ""
	if d := x.Child(nsPrivacy, "default"); d != nil {
		chosen = d.Attr("name")
	}
	for l := range x.Named(nsPrivacy, "list") {
		if l.Attr("name") != chosen {
			list = append(list, Record{Unknown: fmt.Sprintf("the privacy list %q, which is not the default, is not imported", l.Attr("name"))})
			continue
		}
		for item := range l.Elements() {
			blocked, err := jid.Parse(item.Attr("value"))
			whole := item.Child(nsPrivacy, "message") == nil && item.Child(nsPrivacy, "iq") == nil &&
				item.Child(nsPrivacy, "presence-in") == nil && item.Child(nsPrivacy, "presence-out") == nil
			switch {
			case item.Attr("type") == "jid" && item.Attr("action") == "deny" && err == nil && whole:
				list = append(list, Record{Blocked: blocked})
			case item.Attr("action") != "allow" || item.Attr("type") != "":
				list = append(list, Record{Unknown: "a rule of the privacy list that does more than to block an address is not imported"})
			}
		}
	}
	return list
}

// offlineMessage reads a message that waits (XEP-0227 §4.5). Its time is that of the delay of the host.
func (r *xmlReader) offlineMessage(x *stanza.Element) Record {
	st, err := stanza.FromElement(inClient(x))
	if err != nil || st.Kind != stanza.Message || st.From.IsZero() {
		return unknown(x)
	}
	at := time.Now()
	for d := range x.Named(nsDelay, "delay") {
		if t := parseTime(d.Attr("stamp")); d.Attr("from") == r.host && !t.IsZero() {
			at = t
		}
	}
	return Record{Offline: &Message{At: at, Stanza: st}}
}

// archivedMessage reads a message of the archive (XEP-0227 §4.10).
func archivedMessage(x *stanza.Element) Record {
	forwarded := x.Child(nsForward, "forwarded")
	if !x.Is(archive.NS, "result") || forwarded == nil {
		return unknown(x)
	}
	delay, inner := forwarded.Child(nsDelay, "delay"), forwarded.Child(stanza.NSClient, "message")
	if delay == nil || inner == nil {
		return unknown(x)
	}
	at := parseTime(delay.Attr("stamp"))
	st, err := stanza.FromElement(inner)
	if err != nil || at.IsZero() || st.From.IsZero() {
		return unknown(x)
	}
	return Record{Archived: &Message{ID: x.Attr("id"), At: at, Stanza: st}}
}

// parseTime reads a DateTime of XEP-0082. What cannot be read is the zero time.
func parseTime(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
