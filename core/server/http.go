package server

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/blob"
	"github.com/dragoman-im/dragoman/core/blob/s3"
	"github.com/dragoman-im/dragoman/core/features/invite"
	"github.com/dragoman-im/dragoman/core/features/upload"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/peerlimit"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/socket"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/uploads"
	"github.com/dragoman-im/dragoman/core/web"
)

// Names in the data directory.
const (
	uploadKeyName = "upload.key"
	uploadsName   = "uploads"
)

// uploadLabel is the first part of the domain of a host's upload service.
const uploadLabel = "upload"

// http is what the server does over HTTP.
type http struct {
	web     *web.Server
	uploads *upload.Uploads
	disk    *blob.Disk // nil if files are elsewhere
	// Of the landing pages of invitations, which nobody is sent to without web.url.
	pages        *invite.Page
	pageRequests *peerlimit.Requests
}

// newHTTP creates the HTTP server and what it serves. Files that were uploaded earlier are kept, and deleted with their accounts, also if
// uploads are switched off.
func (s *Server) newHTTP() error {
	proxies := make([]netip.Prefix, 0, len(s.config.Web.Proxies))
	for _, text := range s.config.Web.Proxies {
		p, err := config.ParseNetwork(text)
		if err != nil {
			return fmt.Errorf("web.trusted_proxies: %w", err)
		}
		proxies = append(proxies, p)
	}
	s.http.web = web.New(web.Options{
		Certificates: s.reloadable.certificate, Proxies: proxies, Limits: WebLimits(s.config.Limits), Log: s.log,
	})
	if err := s.newUploads(); err != nil {
		return err
	}
	s.http.web.Handle(s.http.uploads.Routes()...)
	if err := s.serveClients(); err != nil {
		return err
	}
	s.servePages()
	for _, h := range s.hosts {
		if err := s.offerUploads(h); err != nil {
			return err
		}
	}
	return nil
}

// servePages serves the landing pages of invitations.
func (s *Server) servePages() {
	invites := make([]*invite.Invites, len(s.hosts))
	for i, h := range s.hosts {
		invites[i] = h.invites
	}
	s.http.pageRequests = invite.NewRequests(s.config.Limits.InvitationPages)
	s.http.pages = invite.NewPage(invites, s.http.pageRequests, s.log)
	if invite.Site(s.config.Web.URL) == "" {
		return
	}
	s.http.web.Handle(s.http.pages.Routes()...)
}

// WebLimits are the limits of an HTTP server.
func WebLimits(l config.Limits) web.Limits {
	return web.Limits{Connections: l.Connections, Arrivals: l.NewConnections, Pending: l.PendingConnections}
}

// newUploads creates what keeps the files.
func (s *Server) newUploads() error {
	u := s.config.Upload
	key, err := loadOrCreateSecret(filepath.Join(s.config.Server.Data, uploadKeyName))
	if err != nil {
		return err
	}
	var files upload.Files
	var direct upload.Direct
	if u.S3 != "" {
		var bucket *s3.Bucket
		bucket, err = s3.Open(s3.Options{URL: u.S3, Public: u.S3Public, Region: u.S3Region, Bucket: u.S3Bucket, Key: u.S3Key, Secret: u.S3Secret})
		if files = bucket; u.S3Public != "" {
			direct = bucket
		}
	} else {
		s.http.disk, err = blob.OpenDisk(filepath.Join(s.config.Server.Data, uploadsName))
		files = s.http.disk
	}
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	s.http.uploads = upload.New(upload.Options{
		Store: uploads.New(s.store), Files: files, Key: key, Redirect: u.S3Redirect, Direct: direct, Clock: store.NewClock(s.store, "uploads", time.Now, s.log), Log: s.log,
	})
	s.setUploadLimits(u)
	return nil
}

func (s *Server) setUploadLimits(u config.Upload) {
	if s.http.disk != nil {
		s.http.disk.SetReserve(int64(u.Reserve))
	}
	s.http.uploads.SetLimits(upload.Limits{
		Size: int64(u.Size), ProfileSize: int64(u.ProfileSize), ProfileFiles: u.ProfileFiles,
		Quota: upload.Quota{Daily: int64(u.Daily), DailyFiles: u.DailyFiles, Total: int64(u.Total), Keep: time.Duration(u.Keep)},
	})
}

// offerUploads attaches the upload service of a host, unless something else has its domain or clients could not reach it.
func (s *Server) offerUploads(h *host) error {
	if !s.config.Upload.Enabled {
		return nil
	}
	address := s.publicURL(h.domain.String())
	if address == "" {
		s.log.Warn("files cannot be uploaded: set web.url to the address of the HTTP listener for clients, or listen.http_tls", "host", h.domain)
		return nil
	}
	if s.config.Web.URL == "" && s.config.TLS.Certificate == "" && strings.HasPrefix(address, "https:") {
		s.log.Warn("files can be uploaded only by clients that trust the self-signed certificate: set tls.certificate, or web.url if there is a reverse proxy",
			"host", h.domain, "url", address)
	}
	return h.serve(s.router, assembly{config: s.config, log: s.log}, servedDomain{
		label: uploadLabel, name: upload.Name, identity: upload.Identity(), features: []router.Feature{upload.NewService(s.http.uploads, h.domain, address).Feature()},
	})
}

// publicURL returns the address of the HTTP server for the clients of a host, "" if there is none that they could use.
func (s *Server) publicURL(host string) string {
	local := host == "localhost"
	ascii, err := socket.ASCIIHost(host) // RFC 3986 §3.2.2
	switch {
	case s.config.Web.URL != "":
		return strings.TrimRight(s.config.Web.URL, "/")
	case err != nil:
		return ""
	case len(s.ports.httpTLS) > 0 && !(local && s.config.TLS.Certificate == "" && len(s.ports.http) > 0):
		return "https://" + withPort(ascii, s.ports.httpTLS[0], "443")
	case local && len(s.ports.http) > 0: // XEP-0363 §4 wants TLS, which protects nothing on one machine and needs a certificate that clients trust
		return "http://" + withPort(ascii, s.ports.http[0], "80")
	}
	return ""
}

// UploadedFile opens a file that an account has uploaded here, by its address; nil where the address is not of one.
func (s *Server) UploadedFile(ctx context.Context, address string) (*upload.Content, error) {
	for _, h := range s.hosts {
		if rest, ok := strings.CutPrefix(address, s.publicURL(h.domain.String())+upload.Path); ok {
			return s.http.uploads.Open(ctx, rest)
		}
	}
	return nil, nil
}

// HandleHTTP adds a route of a service to the HTTP server. Call it before Run.
func (s *Server) HandleHTTP(r web.Route) { s.http.web.Handle(r) }

// PublicURL returns the address of the HTTP server for everybody who uses a service at a domain, "" if there is none: that of the host
// that the domain is below, or of the first one.
func (s *Server) PublicURL(domain jid.JID) string {
	for _, h := range s.hosts {
		if strings.HasSuffix(domain.Domain(), "."+h.domain.Domain()) {
			return s.publicURL(h.domain.String())
		}
	}
	return s.publicURL(s.hosts[0].domain.String())
}

func withPort(host string, l net.Listener, usual string) string {
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil || port == usual {
		return host
	}
	return net.JoinHostPort(host, port)
}
