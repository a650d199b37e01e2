package chat

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // of the page
	"encoding/hex"
	"html/template"
	"net/http"
	"strings"

	"github.com/dragoman-im/dragoman/core/web"
)

var (
	//go:embed page.html
	pageText string
	//go:embed start.js
	startText []byte

	pageTemplate = template.Must(template.New("page").Parse(pageText))
)

// Paths of the pages.
const (
	homePath  = "/{$}"
	guestPath = "/guest"
	filesPath = "/chat/"
)

// encryption is the file that the encryption of OMEMO looks for beside the page.
const encryption = "curve25519_compiled.wasm"

// Options say what the page is for.
type Options struct {
	Hosts    []string // that are served; a person who gives no host logs in to the first one
	Guests   string   // host for people without an account (XEP-0175); "": there is none
	Register bool     // anybody may make an account
	Uploads  []string // addresses to which files are uploaded, besides that of the page itself
}

// page is what the template shows.
type page struct {
	Title, Files, Start, WebSocket, Host, Guest string
	Only, Register                              bool
}

// Routes returns the routes of the client.
func Routes(o Options) ([]web.Route, error) {
	files, err := openFiles()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(startText)
	start := filesPath + hex.EncodeToString(sum[:8]) + "/start.js"
	p := page{
		Title: "Chat on " + o.Hosts[0], Files: files.prefix(), Start: start, WebSocket: web.WebSocketPath, Host: o.Hosts[0],
		Only: len(o.Hosts) == 1, Register: o.Register,
	}
	routes := []web.Route{
		{Pattern: "GET " + files.prefix() + "{name...}", Handler: files},
		{Pattern: "GET " + start, Handler: http.HandlerFunc(sendStart)},
		{Pattern: "GET /" + encryption, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { files.send(w, r, encryption, "no-cache") })},
	}
	add := func(pattern string, p page) error {
		var text bytes.Buffer
		if err := pageTemplate.Execute(&text, p); err != nil {
			return err
		}
		routes = append(routes, web.Route{Pattern: "GET " + pattern, Handler: html{text.Bytes(), policy(o.Uploads)}})
		return nil
	}
	if err := add(homePath, p); err != nil {
		return nil, err
	}
	if o.Guests != "" {
		p.Guest = o.Guests
		if err := add(guestPath, p); err != nil {
			return nil, err
		}
	}
	return routes, nil
}

// policy is the Content-Security-Policy of the pages: scripts of this server only, none within the page. The client writes styles into the page
// itself, shows pictures that people send, compiles the encryption of OMEMO from WebAssembly, and uploads to the given addresses.
func policy(uploads []string) string {
	return "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' https: data: blob:; " +
		"media-src 'self' https: data: blob:; font-src 'self'; worker-src 'self'; connect-src " + strings.Join(append([]string{"'self'"}, uploads...), " ") +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// html is a page.
type html struct {
	text   []byte
	policy string
}

func (h html) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", h.policy)
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(h.text)
}

func sendStart(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", forEver)
	_, _ = w.Write(startText)
}
