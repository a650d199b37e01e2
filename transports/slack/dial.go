package slack

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// handshakeTimeout bounds how long the socket takes to open.
const handshakeTimeout = 30 * time.Second

// dialer opens sockets that end with ctx. The WebSocket library looks at its context only until the
// connection is open, and would wait for a handshake that is not answered.
func dialer(ctx context.Context) *websocket.Dialer {
	var d net.Dialer
	return &websocket.Dialer{
		Proxy: http.ProxyFromEnvironment, HandshakeTimeout: handshakeTimeout,
		NetDialContext: func(dialing context.Context, network, address string) (net.Conn, error) {
			conn, err := d.DialContext(dialing, network, address)
			if err != nil {
				return nil, err
			}
			// An error of Close means that it is closed already.
			return &leashed{conn, context.AfterFunc(ctx, func() { _ = conn.Close() })}, nil
		},
	}
}

// leashed is a connection that is closed when a context ends.
type leashed struct {
	net.Conn
	stop func() bool
}

// Close closes the connection, which the context then has no hold on any longer.
func (l *leashed) Close() error {
	l.stop()
	return l.Conn.Close()
}
