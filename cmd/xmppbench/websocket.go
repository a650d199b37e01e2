package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// webSocket is a stream over a WebSocket (RFC 7395) as a net.Conn that carries what a stream over TCP does: whole elements are written, with
// or without a header before them.
type webSocket struct {
	net.Conn
	in   *bufio.Reader
	left int // bytes of the frame that is being read
}

// dialWebSocket connects to the path /ws of an address.
func dialWebSocket(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: stepTimeout}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	err = conn.SetDeadline(time.Now().Add(stepTimeout))
	if err == nil {
		_, err = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: "+addr+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n")
	}
	w := &webSocket{Conn: conn, in: bufio.NewReader(conn)}
	if err == nil {
		err = w.accepted()
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("WebSocket: %w", err)
	}
	return w, nil
}

func (w *webSocket) accepted() error {
	answer, err := http.ReadResponse(w.in, nil)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusSwitchingProtocols {
		return errors.New(answer.Status)
	}
	return nil
}

// Write sends each element as a frame of its own.
func (w *webSocket) Write(p []byte) (int, error) {
	var out []byte
	for text := string(p); text != ""; {
		var element string
		element, text = firstElement(text)
		out = appendFrame(out, element)
	}
	_, err := w.Conn.Write(out)
	return len(p), err
}

// firstElement returns the first element of what would be written over TCP, as a frame has it, and the rest.
func firstElement(text string) (element, rest string) {
	if strings.HasPrefix(text, "<?xml") {
		head := text[strings.Index(text, "<stream:stream"):]
		_, to, _ := strings.Cut(head, " to='")
		to, _, _ = strings.Cut(to, "'")
		return "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0' to='" + to + "'/>", head[strings.IndexByte(head, '>')+1:]
	}
	if strings.HasPrefix(text, "</stream:stream>") {
		return "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", text[len("</stream:stream>"):]
	}
	end, depth := 0, 0
	for end < len(text) {
		close := strings.IndexByte(text[end:], '>') + end
		switch {
		case strings.HasPrefix(text[end:], "</"):
			depth--
		case text[close-1] != '/':
			depth++
		}
		if end = close + 1; depth == 0 {
			break
		}
		end += max(0, strings.IndexByte(text[end:], '<'))
	}
	element, rest = text[:end], text[end:]
	for _, name := range []string{"<message", "<presence", "<iq"} {
		if after, ok := strings.CutPrefix(element, name); ok {
			return name + " xmlns='jabber:client'" + after, rest
		}
	}
	return element, rest
}

// appendFrame appends a text frame with a mask of zeros (RFC 6455 §5.2).
func appendFrame(dst []byte, text string) []byte {
	if n := len(text); n < 126 {
		dst = append(dst, 0x81, 0x80|byte(n))
	} else {
		dst = binary.BigEndian.AppendUint16(append(dst, 0x81, 0x80|126), uint16(n))
	}
	return append(append(dst, 0, 0, 0, 0), text...)
}

// Read returns what is in the frames.
func (w *webSocket) Read(p []byte) (int, error) {
	for w.left == 0 {
		h, err := w.in.Peek(2)
		if err != nil {
			return 0, err
		}
		size, length := 2, int(h[1])
		if length == 126 {
			if h, err = w.in.Peek(4); err != nil {
				return 0, err
			}
			size, length = 4, int(binary.BigEndian.Uint16(h[2:]))
		}
		_, _ = w.in.Discard(size) // it was peeked
		w.left = length
	}
	n, err := w.in.Read(p[:min(len(p), w.left)])
	w.left -= n
	return n, err
}
