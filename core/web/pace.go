package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// A peer of a route that streams has to send or take paceBytes in each Options.Pace, which the slowest mobile networks do. A peer that
// keeps a connection for less is cut off.
const (
	paceBytes = 64 << 10
	paceTime  = 60 * time.Second
)

// pace is the time for paceBytes.
func pace(r *http.Request) time.Duration {
	if in, ok := r.Context().Value(requestKey{}).(*request); ok {
		return in.pace
	}
	return paceTime
}

// Body returns the body of a request as a reader that fails if the peer sends it too slowly, or when ctx ends. The caller calls stop
// when it has read what it wants, before ctx ends for another reason.
func Body(ctx context.Context, w http.ResponseWriter, r *http.Request) (body io.Reader, stop func() bool) {
	control := http.NewResponseController(w)
	return &pacedReader{ctx: ctx, body: r.Body, control: control, pace: pace(r)}, context.AfterFunc(ctx, func() {
		_ = control.SetReadDeadline(time.Unix(1, 0)) // ends a Read that waits
	})
}

type pacedReader struct {
	ctx     context.Context // of the one request
	body    io.Reader
	control *http.ResponseController
	pace    time.Duration
	left    int // bytes until the deadline moves on
}

func (p *pacedReader) Read(b []byte) (int, error) {
	if p.left <= 0 {
		p.left = paceBytes
		if err := p.control.SetReadDeadline(time.Now().Add(p.pace)); err != nil {
			return 0, err
		}
	}
	if err := p.ctx.Err(); err != nil { // after the deadline, which must not replace the one that ends the reading
		return 0, err
	}
	n, err := p.body.Read(b)
	p.left -= n
	return n, err
}

// Writer returns a response writer that fails if the peer takes the answer too slowly. Files are still sent by the
// system where that is possible.
func Writer(w http.ResponseWriter, r *http.Request) http.ResponseWriter {
	return &pacedWriter{ResponseWriter: w, control: http.NewResponseController(w), pace: pace(r)}
}

type pacedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	pace    time.Duration
	left    int
}

// Unwrap lets http.ResponseController find the writer below.
func (p *pacedWriter) Unwrap() http.ResponseWriter { return p.ResponseWriter }

func (p *pacedWriter) moveOn(n int) error {
	if p.left -= n; p.left > 0 {
		return nil
	}
	p.left = paceBytes
	return p.control.SetWriteDeadline(time.Now().Add(p.pace))
}

// Write implements http.ResponseWriter.
func (p *pacedWriter) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		part := b[:min(len(b), paceBytes)]
		if err := p.moveOn(len(part)); err != nil {
			return n, err
		}
		m, err := p.ResponseWriter.Write(part)
		n += m
		if err != nil {
			return n, err
		}
		b = b[m:]
	}
	return n, nil
}

// ReadFrom implements io.ReaderFrom, in parts that each have a deadline.
func (p *pacedWriter) ReadFrom(from io.Reader) (n int64, err error) {
	rest := &io.LimitedReader{R: from, N: 1 << 62}
	if limited, ok := from.(*io.LimitedReader); ok {
		rest = limited // net/http looks for a file below one of these
	}
	for rest.N > 0 {
		if err := p.moveOn(paceBytes); err != nil {
			return n, err
		}
		part := min(rest.N, paceBytes)
		m, err := io.CopyN(p.ResponseWriter, rest.R, part)
		n, rest.N = n+m, rest.N-m
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
