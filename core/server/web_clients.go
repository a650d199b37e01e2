package server

import (
	"fmt"
	"net/url"

	"github.com/dragoman-im/dragoman/core/web"
	"github.com/dragoman-im/dragoman/core/web/chat"
	"github.com/dragoman-im/dragoman/core/web/hostmeta"
)

// serveClients lets clients connect over HTTP, publishes how, and serves one that runs in browsers.
func (s *Server) serveClients() error {
	c := s.config.Web
	if !c.Clients {
		return nil
	}
	s.http.web.Handle((&web.Clients{Server: s.clients, Origins: c.Origins}).Routes()...)
	var published hostmeta.Documents
	options := chat.Options{Register: s.config.Server.Register}
	for _, h := range s.hosts {
		name := h.domain.String()
		address := s.publicURL(name)
		if err := published.Add(name, hostmeta.Document{Links: hostmeta.ForClients(address)}); err != nil {
			return fmt.Errorf("publish how clients connect: %w", err)
		}
		options.Hosts = append(options.Hosts, name)
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			options.Uploads = append(options.Uploads, u.Scheme+"://"+u.Host)
		}
	}
	if u, err := url.Parse(s.config.Upload.S3Public); err == nil && u.Host != "" {
		options.Uploads = append(options.Uploads, u.Scheme+"://"+u.Host)
	}
	s.http.web.Handle(published.Routes()...)
	if !c.Chat {
		return nil
	}
	if len(s.anonymous) > 0 {
		options.Guests = s.anonymous[0].Domain().String()
	}
	routes, err := chat.Routes(options)
	if err != nil {
		return err
	}
	s.http.web.Handle(routes...)
	return nil
}
