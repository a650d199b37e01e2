package portable

import (
	"bufio"
	"encoding/base64"
	"io"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// XMLWriter writes records as one document (XEP-0227 §4). Call Close at the end.
type XMLWriter struct {
	out     *bufio.Writer
	host    string
	account jid.JID
	group   group // that is open
	begun   bool
	failed  error
}

// group is an element that several records of a kind are in.
type group struct {
	open, end           string
	outerOpen, outerEnd string // of an element around several groups
}

// blockList is the name of the privacy list with the blocked addresses.
const blockList = "Blocked"

// The groups.
var (
	rosterGroup  = group{open: "<query xmlns='" + nsRoster + "'>", end: "</query>"}
	privateGroup = group{open: "<query xmlns='" + nsPrivate + "'>", end: "</query>"}
	blockedGroup = group{open: "<query xmlns='" + nsPrivacy + "'><default name='" + blockList + "'/><list name='" + blockList + "'>", end: "</list></query>"}
	offlineGroup = group{open: "<offline-messages>", end: "</offline-messages>"}
	nodeGroup    = group{open: "<pubsub xmlns='" + pubsub.NSOwner + "'>", end: "</pubsub>"}
	archiveGroup = group{open: "<archive xmlns='" + nsArchive + "'>", end: "</archive>"}
)

// NewXMLWriter returns an XMLWriter.
func NewXMLWriter(w io.Writer) *XMLWriter { return &XMLWriter{out: bufio.NewWriterSize(w, 64<<10)} }

// Write writes a record. Records of an account come in a row, and accounts of a host too.
func (w *XMLWriter) Write(r Record) error {
	if r.Made != nil {
		w.begin(r)
	}
	kind, text := w.format(r)
	if kind != w.group {
		w.change(kind)
	}
	if text != "" {
		w.print(text, "\n")
	}
	return w.failed
}

// change ends one group and opens another.
func (w *XMLWriter) change(to group) {
	w.print(w.group.end)
	if to.outerOpen != w.group.outerOpen {
		w.print(w.group.outerEnd, to.outerOpen)
	}
	w.print(to.open)
	w.group = to
}

// itemsOf is the group of a node's items.
func itemsOf(node string) group {
	return group{"<items" + attribute("node", node) + ">", "</items>", "<pubsub xmlns='" + pubsub.NS + "'>", "</pubsub>"}
}

// element is the item as XML, inside the group.
func (i *NodeItem) element() string {
	return "<item" + attribute("id", i.ID) + ">" + i.Payload + "</item>"
}

// begin opens an account, and its host.
func (w *XMLWriter) begin(r Record) {
	w.endAccount()
	if !w.begun {
		w.print("<?xml version='1.0' encoding='UTF-8'?>\n<server-data xmlns='", NS, "'>\n")
		w.begun = true
	}
	if host := r.Account.Domain(); host != w.host {
		w.endHost()
		w.print("<host", attribute("jid", host), ">\n")
		w.host = host
	}
	w.print("<user", attribute("name", r.Account.Local()), ">\n")
	w.account = r.Account
}

func (w *XMLWriter) endAccount() {
	w.change(group{})
	if !w.account.IsZero() {
		w.print("</user>\n")
		w.account = jid.JID{}
	}
}

func (w *XMLWriter) endHost() {
	if w.host != "" {
		w.print("</host>\n")
		w.host = ""
	}
}

// Close ends the document.
func (w *XMLWriter) Close() error {
	w.endAccount()
	w.endHost()
	if w.begun {
		w.print("</server-data>\n")
	}
	return w.out.Flush()
}

func (w *XMLWriter) print(texts ...string) {
	for _, t := range texts {
		if _, err := w.out.WriteString(t); err != nil && w.failed == nil {
			w.failed = err
		}
	}
}

// format returns a record as XML and the group that it belongs to.
func (w *XMLWriter) format(r Record) (group, string) {
	switch {
	case r.Key != nil:
		return group{}, r.Key.element().String()
	case r.Contact != nil:
		return rosterGroup, inside(r.Contact.Element(), nsRoster)
	case r.Request != nil:
		return group{}, client(r.Request)
	case r.VCard != nil:
		return group{}, r.VCard.String()
	case r.Private != nil:
		return privateGroup, inside(r.Private, nsPrivate)
	case !r.Blocked.IsZero():
		return blockedGroup, "<item type='jid' action='deny' order='0'" + attribute("value", r.Blocked.String()) + "/>"
	case r.Node != nil:
		return nodeGroup, inside(r.Node.XML, pubsub.NSOwner)
	case r.Item != nil:
		return itemsOf(r.Item.Node), r.Item.element()
	case r.Preferences != nil:
		return group{}, r.Preferences.Element().String()
	case r.Offline != nil:
		return offlineGroup, client(r.Offline.delayed(w.host))
	case r.Archived != nil:
		return archiveGroup, r.Archived.result()
	}
	return w.group, ""
}

func (k *Key) element() *stanza.Element {
	text := func(name, value string) *stanza.Element { return stanza.TextElement(nsKeys, name, value) }
	encode := base64.StdEncoding.EncodeToString
	return stanza.NewElement(nsKeys, "scram-credentials").With("mechanism", "SCRAM-"+k.Hash.String()).Add(
		text("iter-count", strconv.Itoa(k.Iterations)), text("salt", encode(k.Salt)),
		text("server-key", encode(k.ServerKey)), text("stored-key", encode(k.StoredKey)))
}

// delayed is the message with the time when it was stored.
func (m *Message) delayed(host string) *stanza.Stanza {
	own := func(e *stanza.Element) bool { return e.Is(nsDelay, "delay") && e.Attr("from") == host }
	return m.Stanza.Without(own).With(stanza.NewElement(nsDelay, "delay").With("from", host).With("stamp", stamp(m.At)))
}

// result is the message as in an answer to a query of the archive (XEP-0313 §4.2).
func (m *Message) result() string {
	b := append([]byte(nil), "<result xmlns='urn:xmpp:mam:2'"...)
	b = append(stanza.AppendAttr(b, "id", m.ID), "><forwarded xmlns='"+nsForward+"'><delay xmlns='"+nsDelay+"'"...)
	b = append(stanza.AppendAttr(b, "stamp", stamp(m.At)), "/>"...)
	b = m.Stanza.AppendXML(b, stanza.NSClient)
	return string(append(b, "</forwarded></result>"...))
}

// client is a stanza in the namespace jabber:client.
func client(st *stanza.Stanza) string { return string(st.AppendXML(nil, stanza.NSClient)) }

// inside is an element whose parent has a namespace.
func inside(e *stanza.Element, parent string) string { return string(e.Append(nil, parent)) }

func attribute(name, value string) string { return string(stanza.AppendAttr(nil, name, value)) }

// stamp formats a DateTime of XEP-0082.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
