package archive

import (
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// message wraps an entry (XEP-0313 §4.2, XEP-0297). The archived message is copied as
// the bytes that it is, without a tree.
func (e *Engine) message(r Request, entry Entry, queryID string) *stanza.Stanza {
	st := entry.Stanza
	if st != nil && e.opts.Rewrite != nil {
		st = e.opts.Rewrite(r, entry)
	}
	b := make([]byte, 0, 512)
	b = stanza.AppendAttr(append(b, "<result xmlns='"+NS+"'"...), "queryid", queryID)
	b = stanza.AppendAttr(b, "id", entry.ID)
	b = append(b, "><forwarded xmlns='"+nsForward+"'><delay xmlns='"+message.NSDelay+"'"...)
	b = append(stanza.AppendAttr(b, "stamp", stamp(entry.At)), "/>"...)
	if st != nil {
		to := st.To
		if r.Room {
			to = jid.JID{} // XEP-0313 §6.1
		}
		b = st.AppendXMLTo(b, stanza.NSClient, to)
	}
	b = append(b, "</forwarded></result>"...)
	return &stanza.Stanza{
		Kind: stanza.Message, To: r.IQ.From, From: r.Archive, ID: stanza.NewID(), Payload: string(b),
	}
}

// size is the length of the entry's content.
func (e Entry) size() int {
	if e.Stanza == nil {
		return 0
	}
	return len(e.Stanza.Payload) + len(e.Stanza.Extra)
}

// stamp formats a XEP-0082 DateTime.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
