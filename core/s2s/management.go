package s2s

import (
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
	"github.com/dragoman-im/dragoman/core/unacked"
)

// Times and limits of stream management (XEP-0198) that no setting changes.
const (
	askWait      = 2 * time.Second // how long a stanza may wait for others before an acknowledgement of it is requested
	maxUnacked   = 5000            // stanzas; four times as many while the other server has not had time to answer
	maxResumable = 10_000          // streams
	maxCut       = 5               // of one pair that were cut
	takeOverTime = 5 * time.Second // for the old connection of a stream to end, and for its stanzas to be stored
)

var (
	errUnacked   = stream.NewError(stream.PolicyViolation, "too many stanzas are not acknowledged")
	errNotStored = stream.NewError(stream.ResourceConstraint, "stanzas cannot be stored at the moment: try again later")
	errResumed   = stream.NewError(stream.Conflict, "the stream was resumed on another connection")
	errCount     = stream.NewError(stream.BadFormat, "h is not a number of stanzas")
)

// management is what a link was sent on a managed stream, and the other server has not acknowledged. It outlives the connection if the
// stream can be resumed.
type management struct {
	list  *unacked.List
	conn  atomic.Pointer[carrier] // nil while there is none
	timer *time.Timer             // requests an acknowledgement
	id    string                  // with which the stream can be resumed; "" if it cannot
	until time.Time               // for how long, once there is no connection
	cut   holding                 // what is kept while there is no connection
	begun uint32                  // number of the stanza that was acknowledged last before the connection
}

// newManagement returns the state of a new stream.
func (s *Server) newManagement() *management {
	bytes := s.limits().Queue
	m := &management{cut: holding{all: &s.links.held.total}}
	m.timer = time.AfterFunc(time.Hour, m.ask)
	m.timer.Stop()
	m.list = unacked.New(0, unacked.Limits{Stanzas: maxUnacked, Bytes: bytes}, unacked.Hooks{
		Full: m.overflow, Acked: s.links.outbox.Acknowledged(), Unasked: func() { m.timer.Reset(askWait) },
	})
	return m
}

func (m *management) overflow() {
	if c := m.conn.Load(); c != nil {
		c.Stop(errUnacked)
	}
}

// ask requests an acknowledgement of what was sent.
func (m *management) ask() {
	if c := m.conn.Load(); c != nil {
		c.Queue().Request()
		c.Queue().Flush()
	}
}

// leave ends the use of a connection, which has ended.
func (m *management) leave(c *carrier, wait time.Duration) {
	m.conn.Store(nil)
	m.timer.Stop()
	c.Queue().Release()
	m.until = time.Now().Add(wait)
	m.cut.set(m.list.Bytes())
}

// progressed reports whether anything was acknowledged since the connection began.
func (m *management) progressed() bool {
	if m == nil {
		return false
	}
	n, _ := m.list.Acked()
	return n != m.begun
}

// take returns the stanzas, which are not acknowledged and will not be.
func (m *management) take() []outbound.Retained {
	var list []outbound.Retained
	m.cut.set(0)
	for _, s := range m.list.Take() {
		list = append(list, outbound.Retained{Stanza: s.Stanza})
	}
	return list
}

// add appends a stanza to the queue of the connection, which keeps it until it is written or, on a managed stream, acknowledged.
func (c *carrier) add(r outbound.Retained) error {
	if c.accepted || c.management.Load() == nil { // the other server may enable stream management at this moment
		r.Done = c.outbox.OnWritten(r.Stanza)
		return c.Queue().Retain(r)
	}
	if !c.Queue().AppendStanza(r.Stanza) {
		return outbound.ErrClosed
	}
	return nil
}

func managementFeature() *stanza.Element { return stanza.NewElement(stream.NSManagement, "sm") }

func managed(local string) *stanza.Element { return stanza.NewElement(stream.NSManagement, local) }

func formatCount(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// parseBoolean reads an XML boolean (XEP-0198 §3).
func parseBoolean(text string) bool {
	text = strings.TrimSpace(text)
	return text == "true" || text == "1"
}
