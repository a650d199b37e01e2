package invite

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // of the page
	"encoding/base64"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/peerlimit"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/web"
)

// Paths of the landing pages, which a token follows: of invitations to become a contact, and of those to a new account.
const (
	contactPath = "/invite/contact/"
	accountPath = "/invite/account/"
)

// maxToken is longer than any token.
const maxToken = 64

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string
)

// ContactPage returns the address of the landing page of an invitation to become a contact, below the address of the web server.
func ContactPage(site, token string) string { return site + contactPath + token }

// AccountPage is ContactPage for an invitation to a new account.
func AccountPage(site, token string) string { return site + accountPath + token }

// Page serves the landing pages of the invitations of several hosts (XEP-0379 §3.3, XEP-0401 §5.3).
type Page struct {
	hosts    []*Invites
	requests *peerlimit.Requests
	log      *slog.Logger
	html     *template.Template
	policy   string // Content-Security-Policy
	Refused  atomic.Uint64
}

// NewPage returns the landing pages. Requests are limited by address.
func NewPage(hosts []*Invites, requests *peerlimit.Requests, log *slog.Logger) *Page {
	sum := sha256.Sum256([]byte(pageStyle))
	return &Page{
		hosts: hosts, requests: requests, log: log, html: template.Must(template.New("page").Parse(pageText)),
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}
}

// Limits returns the counter, under the name of the limit's setting.
func (p *Page) Limits() []router.Counter {
	return []router.Counter{{Setting: "limits.invitation_pages", Value: &p.Refused}}
}

// Routes returns the routes of the HTTP server.
func (p *Page) Routes() []web.Route {
	return []web.Route{
		{Pattern: "GET " + contactPath + "{token}", Handler: p.handler(contactView)},
		{Pattern: "GET " + accountPath + "{token}", Handler: p.handler(accountView)},
	}
}

// view is what a page shows. Without a URI it says that there is no such invitation.
type view struct {
	Style     template.CSS
	URI       template.URL // html/template knows no xmpp URIs
	Host      string
	Inviter   string // "" where who invites does not become a contact
	Account   string // the promised address of the new account
	Registers bool
	Contact   bool // of an invitation to become a contact
	Once      bool
	Expires   string
	Platforms []platform
}

// contactView shows an invitation whose receiver becomes a contact.
func contactView(i admin.Invitation, token string) (view, bool) {
	return view{URI: template.URL(i.ContactURI(token)), Contact: true}, i.Subscribes && !i.Inviter.IsZero()
}

// accountView shows an invitation to a new account.
func accountView(i admin.Invitation, token string) (view, bool) {
	v := view{URI: template.URL(i.AccountURI(token))}
	if i.Username != "" {
		v.Account = i.Username + "@" + i.Host.Domain()
	}
	return v, i.Registers
}

func (p *Page) handler(show func(admin.Invitation, string) (view, bool)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.secure(w.Header())
		if !p.requests.Take(web.Client(r)) {
			p.Refused.Add(1)
			w.Header().Set("Retry-After", "60")
			http.Error(w, "Too many requests: try again in a minute.", http.StatusTooManyRequests)
			return
		}
		token := r.PathValue("token")
		i, err := p.find(r, token)
		var v view
		ok := false
		switch {
		case err == nil:
			v, ok = show(i, token)
		case !errors.Is(err, admin.ErrNoInvitation):
			if r.Context().Err() == nil {
				p.log.Error("invitation not read", "err", err)
			}
			w.Header().Set("Retry-After", "60")
			http.Error(w, "The invitation cannot be looked up at the moment: try again in a minute.", http.StatusServiceUnavailable)
			return
		}
		status := http.StatusOK
		if !ok { // the same answer whether it is unknown, used up, expired or of the other kind
			v, status = view{}, http.StatusNotFound
		} else {
			v.fill(i, r.UserAgent())
		}
		p.write(w, status, v)
	})
}

// find returns the good invitation of a token, whichever host it is of.
func (p *Page) find(r *http.Request, token string) (admin.Invitation, error) {
	if len(token) > maxToken {
		return admin.Invitation{}, admin.ErrNoInvitation
	}
	for _, h := range p.hosts {
		if i, err := h.Find(r.Context(), token); !errors.Is(err, admin.ErrNoInvitation) {
			return i, err
		}
	}
	return admin.Invitation{}, admin.ErrNoInvitation
}

// fill adds what both kinds of pages show.
func (v *view) fill(i admin.Invitation, agent string) {
	v.Host, v.Registers, v.Once = i.Host.Domain(), i.Registers, i.Uses == 1
	v.Expires = i.Expires.UTC().Format("2 January 2006, 15:04") + " UTC"
	v.Platforms = platformsFor(agent)
	if i.Subscribes && !i.Inviter.IsZero() {
		v.Inviter = i.Inviter.Bare().String()
	}
}

// secure sets the headers: nothing but the page's own style is loaded, and nobody else learns its address, which holds the token.
func (p *Page) secure(h http.Header) {
	h.Set("Content-Security-Policy", p.policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Cache-Control", "no-store")
}

func (p *Page) write(w http.ResponseWriter, status int, v view) {
	v.Style = template.CSS(pageStyle)
	var b bytes.Buffer
	if err := p.html.Execute(&b, v); err != nil {
		p.log.Error("landing page of an invitation not made", "err", err)
		http.Error(w, "The page cannot be shown.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client has gone, or it has not
}

// Site returns the address of a web server that landing pages can be below, "" for one without TLS (XEP-0401 §5.1).
func Site(url string) string {
	if !strings.HasPrefix(url, "https://") {
		return ""
	}
	return strings.TrimRight(url, "/")
}

// pageTime is the time that the limit of requests is meant for.
const pageTime = time.Minute

// NewRequests returns the limit of requests from one address.
func NewRequests(perMinute int) *peerlimit.Requests {
	return peerlimit.NewRequests(perMinute, pageTime)
}
