package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
)

// File is a file of a request (docs: Uploading Files).
type File struct {
	Name string
	MIME string
	Size int64 // bytes; the reader has exactly as many
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// ErrFileRead is of a request that has failed because one of its files could not be read.
var ErrFileRead = errors.New("a file of the request cannot be read")

// multipart makes a request with files, which are read while it is sent. Its length is known before.
func (a *API) multipart(ctx context.Context, r Request, address string, payload []byte) (*http.Request, error) {
	var head bytes.Buffer
	form := multipart.NewWriter(&head)
	part := func(name, file, typ string) error {
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", multipart.FileContentDisposition(name, file))
		if file == "" {
			h.Set("Content-Disposition", "form-data; name="+strconv.Quote(name))
		}
		h.Set("Content-Type", typ)
		_, err := form.CreatePart(h)
		return err
	}
	if err := part("payload_json", "", "application/json"); err != nil {
		return nil, err
	}
	head.Write(payload)
	var readers []io.Reader
	length := int64(0)
	flush := func() {
		text := bytes.Clone(head.Bytes())
		head.Reset()
		length += int64(len(text))
		readers = append(readers, bytes.NewReader(text))
	}
	for i, f := range r.Files {
		typ := f.MIME
		if typ == "" {
			typ = "application/octet-stream"
		}
		if err := part("files["+strconv.Itoa(i)+"]", f.Name, typ); err != nil {
			return nil, err
		}
		flush()
		length += f.Size
		readers = append(readers, &lazy{ctx: ctx, file: f})
	}
	if err := form.Close(); err != nil {
		return nil, err
	}
	flush()
	httpRequest, err := http.NewRequestWithContext(ctx, r.Method, address, io.MultiReader(readers...))
	if err != nil {
		return nil, errors.New("not an address") // the error would quote it
	}
	httpRequest.ContentLength = length
	httpRequest.Header.Set("Content-Type", form.FormDataContentType())
	a.authorise(r, httpRequest)
	return httpRequest, nil
}

// lazy opens a file when it is its turn, and closes it at its end.
type lazy struct {
	ctx     context.Context // of the one request
	file    File
	content io.ReadCloser
	stop    func() bool // of closing it with ctx
	done    bool
}

// Read implements io.Reader.
func (l *lazy) Read(b []byte) (int, error) {
	if l.done {
		return 0, io.EOF
	}
	if l.content == nil {
		content, err := l.file.Open(l.ctx)
		if err != nil {
			return 0, fmt.Errorf("%w: %w", ErrFileRead, err)
		}
		l.content = content
		l.stop = context.AfterFunc(l.ctx, func() { _ = content.Close() }) // the request may end before the file
	}
	n, err := l.content.Read(b)
	if err == nil {
		return n, nil
	}
	l.done = true
	l.stop()
	_ = l.content.Close() // it was read
	if errors.Is(err, io.EOF) {
		return n, io.EOF
	}
	return n, fmt.Errorf("%w: %w", ErrFileRead, err)
}
