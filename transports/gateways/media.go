package gateways

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/transports/bridge/media"
)

// mediaName is the directory of the files of networks in the data directory.
const mediaName = "media"

// openMedia makes what serves the files of the networks.
func (m *maker) openMedia(c config.Config) error {
	cache, err := media.OpenCache(filepath.Join(c.Server.Data, mediaName), media.Limits{
		Bytes: int64(c.Media.Cache), Reserve: int64(c.Upload.Reserve), Keep: time.Duration(c.Media.Keep),
	}, time.Now)
	if err != nil {
		return fmt.Errorf("media: %w", err)
	}
	m.media = media.New(media.Options{
		Rows: m.tables, Cache: cache, Size: int64(c.Media.Size), Fetches: c.Media.Fetches,
		Rates: media.Rates{Address: c.Media.AddressRate, Login: c.Media.LoginRate}, Log: m.options.Log,
	})
	return nil
}

// serveMedia serves the files of the networks at the server's HTTP listener, if it has one.
func (i *inside) serveMedia(c config.Config) error {
	if !c.Media.Enabled || len(c.Listen.HTTP)+len(c.Listen.HTTPTLS) == 0 {
		return nil
	}
	if err := i.maker.openMedia(c); err != nil {
		return err
	}
	for _, r := range i.maker.media.Routes() {
		i.server.HandleHTTP(r)
	}
	return nil
}

// localFiles open the files of this server that users send: those that accounts have uploaded, and those of networks, whose addresses begin
// with base.
func (i *inside) localFiles(base string) []media.Local {
	list := []media.Local{func(ctx context.Context, address string) (*media.Content, error) {
		c, err := i.server.UploadedFile(ctx, address)
		if c == nil || err != nil {
			return nil, err
		}
		return &media.Content{ReadCloser: c, Size: c.Size, Type: c.Type}, nil
	}}
	if i.maker.media != nil && base != "" {
		list = append(list, i.maker.media.Local(base))
	}
	return list
}

// fetcher returns what reads the files that users send.
func fetcher(c config.Config, local []media.Local) *media.Fetcher {
	var private []netip.Prefix
	for _, text := range c.Media.Private {
		if p, err := config.ParseNetwork(text); err == nil {
			private = append(private, p)
		}
	}
	return media.NewFetcher(media.FetchLimits{Size: int64(c.Media.Size), Private: private, Hosts: c.Media.Hosts}, local...)
}
