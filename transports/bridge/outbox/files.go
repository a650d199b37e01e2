package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/media"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// fileTimeout is how long a call may take that sends files.
const fileTimeout = time.Hour

// maxHint is the longest text about a file that its sender is shown, in bytes.
const maxHint = 500

// Files reads the files that messages from XMPP name by their addresses.
type Files interface {
	// Stat finds out how large a file is, and its media type where that is known. An error is for the sender; media.ErrNotFile is not told.
	Stat(ctx context.Context, address string) (size int64, mime string, err error)
	// Open reads a file of which Stat has given the size.
	Open(ctx context.Context, address string) (io.ReadCloser, error)
}

// timeout is how long the call may take.
func (c *call) timeout() time.Duration {
	if len(c.request.Files) > 0 && c.row.Part == 0 {
		return fileTimeout
	}
	return gateway.CallTimeout
}

// sendWithFiles sends a part of a message, the first one with its files. A file that cannot be sent is replaced by its address, and the
// sender is notified.
func (c *call) sendWithFiles(ctx context.Context, m transports.Outgoing, r *result) (transports.Sent, error) {
	if c.row.Part > 0 || len(c.request.Files) == 0 {
		return c.client.Send(ctx, m)
	}
	text := m.Text
	m.Steps = transports.Steps{Done: c.request.Steps, Save: c.save}
	reads, sending := newReads(ctx)
	defer reads.end()
	var left, hints []string
	for _, f := range c.request.Files {
		file, err := c.file(ctx, f, reads)
		switch {
		case err == nil:
			m.Files = append(m.Files, file)
			continue
		case ctx.Err() != nil:
			return transports.Sent{}, ctx.Err()
		case !errors.Is(err, media.ErrNotFile):
			hints = append(hints, f.Name+": "+convert.ErrorText(err, "it could not be read"))
		}
		left = append(left, f.URL)
	}
	m.Text = withAddresses(text, left)
	sent, err := c.client.Send(sending, m)
	unread := reads.failed.Load() && ctx.Err() == nil // the network has got no whole request
	if err != nil && (unread || errors.Is(err, transports.ErrFile)) {
		left, hints = nil, []string{"a file could not be read"}
		if !unread {
			hints = []string{convert.NetworkError(err).Text}
		}
		for _, f := range c.request.Files {
			left = append(left, f.URL)
		}
		m.Text, m.Files = withAddresses(text, left), nil
		sent, err = c.client.Send(ctx, m)
	}
	if err == nil && len(hints) > 0 && !sent.Earlier { // what an earlier attempt has sent may have had all of its files
		r.notice = convert.CutBytes("Sent as a link, not as a file: "+strings.Join(hints, "; "), maxHint)
	}
	return sent, err
}

// filesOf are the files of an earlier message of XMPP.
func (q *Queue) filesOf(ctx context.Context, t target) (convert.SentFiles, error) {
	for _, a := range q.accepted {
		if a.call.Stanza == t.stanza && a.request.Kind == convert.SendMessage {
			return a.request.Files, nil
		}
	}
	c, ok, err := q.outbox.calls.MessageCall(ctx, q.conv.ID, t.sender, t.stanza)
	if err != nil || !ok {
		return nil, err
	}
	return decode(c).Files, nil
}

// file is a file that the network takes.
func (c *call) file(ctx context.Context, f convert.SentFile, reads *reads) (transports.OutgoingFile, error) {
	limit := c.limit()
	files := c.outbox.files
	if files == nil {
		return transports.OutgoingFile{}, transports.Refuse("not-acceptable", "files cannot be read here", nil)
	}
	if f.Size > limit {
		return transports.OutgoingFile{}, c.tooLarge(limit)
	}
	looking, cancel := context.WithTimeout(ctx, min(gateway.CallTimeout, reads.left()))
	defer cancel()
	began := time.Now()
	size, mime, err := files.Stat(looking, f.URL)
	reads.spend(began)
	switch {
	case err != nil:
		return transports.OutgoingFile{}, err
	case size > limit:
		return transports.OutgoingFile{}, c.tooLarge(limit)
	case size <= 0:
		return transports.OutgoingFile{}, transports.Refuse("not-acceptable", "the file is empty", nil)
	}
	if f.MIME != "" {
		mime = f.MIME
	}
	return transports.OutgoingFile{
		Name: f.Name, MIME: mime, Size: size, Alt: f.Alt, Spoiler: f.Spoiler,
		Open: func(ctx context.Context) (io.ReadCloser, error) {
			began := reads.begin()
			content, err := files.Open(ctx, f.URL)
			reads.waited(began)
			reads.timer.Stop()
			if err != nil {
				if ctx.Err() == nil {
					reads.failed.Store(true)
				}
				return nil, err
			}
			return &reading{ctx: ctx, content: content, left: size, all: reads}, nil
		},
	}, nil
}

// limit is the size of the largest file that the network takes in the room, in bytes.
func (c *call) limit() int64 {
	if l := c.outbox.logins.ByID(c.row.Login); l != nil {
		return l.Caps(c.room.Net).Files.Size
	}
	return c.outbox.env.Info.Caps.Files.Size
}

func (c *call) tooLarge(limit int64) error {
	return transports.Refuse("not-acceptable", c.network()+" takes files of up to "+convert.Megabytes(limit), nil)
}

// withAddresses is a text with addresses of files in lines of their own.
func withAddresses(text richtext.Text, addresses []string) richtext.Text {
	out := append(richtext.Text(nil), text...)
	for _, a := range addresses {
		if len(out) > 0 {
			out = append(out, richtext.Node{Kind: richtext.Break})
		}
		out = append(out, richtext.Node{Kind: richtext.Link, URL: a})
	}
	return out
}

// save keeps a step of the call, by the conversation's goroutine, which owns the row.
func (c *call) save(ctx context.Context, done string) error {
	saved := make(chan error, 1)
	c.queue.conv.Enqueue(func(ctx context.Context) { saved <- c.queue.saveSteps(ctx, c, done) })
	select {
	case err := <-saved:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// errOver is of a call that has ended meanwhile.
var errOver = errors.New("the call is over")

func (q *Queue) saveSteps(ctx context.Context, c *call, done string) error {
	if q.call != c || len(q.pending) == 0 {
		return errOver
	}
	row := q.pending[0]
	request := decode(row)
	request.Steps = done
	data, err := json.Marshal(request)
	if err != nil {
		return err
	}
	row.Data = data
	if err := q.conv.Commit(ctx, &tables.Batch{Outbox: tables.OutboxBatch{Update: []tables.Call{row}}}); err != nil {
		return err
	}
	q.pending[0] = row
	return nil
}

// report tells the sender of a call something about it.
func (q *Queue) report(c *call, text string) {
	if linked := c.request.Linked; linked != nil {
		q.outbox.links.Notice(linked.Link, linked.Nick, text)
		return
	}
	q.notice(c.row.Sender, text)
}
