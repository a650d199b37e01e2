package integration_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// peerTimeout is how long a test waits for something that a peer does.
const peerTimeout = 30 * time.Second

var asked atomic.Int64

// ask sends an IQ of type get and returns the answer to it; what comes before is dropped.
func ask(ctx context.Context, conn *client.Conn, to, payload string) (*xmltree.Element, error) {
	return request(ctx, conn, "get", to, payload)
}

func request(ctx context.Context, conn *client.Conn, kind, to, payload string) (*xmltree.Element, error) {
	id := fmt.Sprintf("ask-%d", asked.Add(1))
	if to != "" {
		to = " to='" + to + "'"
	}
	if err := conn.Send("<iq type='" + kind + "' id='" + id + "'" + to + ">" + payload + "</iq>"); err != nil {
		return nil, err
	}
	for {
		e, err := conn.Next(ctx)
		if err != nil {
			return nil, err
		}
		if e.Name.Local == "iq" && e.Attr("id") == id {
			return e, nil
		}
	}
}

// errorOf makes a Go error of an error stanza.
func errorOf(e *xmltree.Element) error {
	return fmt.Errorf("error stanza:\n%s", e)
}
