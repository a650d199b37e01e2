package bridge

import (
	"context"
	"fmt"
	"io"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/media"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// ServeMedia has the files of messages served at a public address; else they keep the network's own. Call it before Run.
func (g *Gateway) ServeMedia(by *media.Service, address string) {
	if by == nil || address == "" || !g.env.Info.Caps.Media {
		return
	}
	g.media = by
	g.flow.processing.SetLinks(media.NewLinks(address, g.logins.Signer(), by.Size))
}

// ReadFiles has the files that messages from XMPP name read, and sent as files. Call it before Run.
func (g *Gateway) ReadFiles(by *media.Fetcher) { g.flow.outbox.SetFiles(by) }

// serveMedia lets the files of the gateway be read until end is called.
func (g *Gateway) serveMedia() (end func()) {
	if g.media == nil {
		return func() {}
	}
	domain, source := g.env.Domain.String(), mediaSource{g}
	g.media.Attach(domain, source)
	return func() { g.media.Detach(domain, source) }
}

// mediaSource has the gateway's files.
type mediaSource struct{ *Gateway }

// Go implements media.Source.
func (s mediaSource) Go(f func(ctx context.Context)) bool { return s.env.Group.Go(f) }

// maxAsked is how many logins are asked for one file: of a channel that thousands see, a file that is gone must not cost thousands of calls.
const maxAsked = 3

// OpenMedia implements media.Source: the first login that may see the message and can be asked opens its file.
func (s mediaSource) OpenMedia(ctx context.Context, m tables.Media, usable func(transports.LoginID) bool) (io.ReadCloser, transports.File, error) {
	list, err := s.store.MediaLogins(ctx, m)
	if err != nil {
		return nil, transports.File{}, fmt.Errorf("find who sees a file: %w", err)
	}
	err = media.ErrNotAsked
	for asked := 0; asked < maxAsked && len(list) > 0; list = list[1:] {
		l := s.logins.ByID(list[0])
		if l == nil {
			continue
		}
		opener, ok := l.Client().(transports.MediaOpener)
		if !ok || !usable(l.ID) {
			continue
		}
		asked++
		content, file, failed := opener.OpenFile(ctx, m.Ref)
		if failed == nil {
			return content, file, nil
		}
		err = failed
	}
	return nil, transports.File{}, err
}
