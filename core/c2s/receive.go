package c2s

import (
	"errors"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Receive handles a stanza of a bound session. An error ends the stream.
func (c *conn) Receive(it *stream.Item) error {
	c.server.Counters.Received.Add(1)
	if c.handled == nil {
		return c.receive(it)
	}
	c.batch.SetWrites(c.handled.Begin())
	err := c.receive(it)
	if err == nil {
		c.handled.End()
	}
	return err
}

func (c *conn) receive(it *stream.Item) error {
	st, err := it.Stanza()
	if err != nil {
		return c.malformed(it, st, err)
	}
	if err := c.authorise(st); err != nil {
		return err
	}
	if c.reaches(st) {
		c.session.port.Submit(c.batch, st)
	}
	return nil
}

// malformed answers a stanza with a malformed address (RFC 6120 §8.3.3.8).
func (c *conn) malformed(it *stream.Item, st *stanza.Stanza, err error) error {
	var e *stanza.Error
	if !errors.As(err, &e) {
		return err
	}
	if from := it.AttrBytes("from"); len(from) > 0 && string(from) != c.session.jid.String() && string(from) != c.who.String() {
		return errInvalidFrom
	}
	st.From = c.session.jid
	if reply := st.ErrorReply(e); reply != nil {
		c.Send(reply)
	}
	return nil
}
