package hostmeta

import (
	"encoding/json"
	"encoding/xml"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/web"
)

// Relations of links (XEP-0156 §4).
const (
	WebSocket = "urn:xmpp:alt-connections:websocket"
	BOSH      = "urn:xmpp:alt-connections:xbosh"
)

const (
	path     = "/.well-known/host-meta" // RFC 6415 §2
	jsonPath = path + ".json"           // RFC 6415 §3
)

// Link is a link of a document.
type Link struct {
	Rel  string `xml:"rel,attr" json:"rel"`
	Href string `xml:"href,attr" json:"href,omitempty"`
	*Endpoint
}

// Document is what is published of one host.
type Document struct {
	XMLName  struct{}  `xml:"http://docs.oasis-open.org/ns/xri/xrd-1.0 XRD" json:"-"`
	Complete *Complete `xml:"-" json:"xmpp,omitempty"`
	Links    []Link    `xml:"Link" json:"links"`
}

// inXML returns the document without what only the form in JSON has.
func (d Document) inXML() Document {
	d.Links = slices.DeleteFunc(slices.Clone(d.Links), func(l Link) bool { return l.Href == "" })
	for i := range d.Links {
		d.Links[i].Endpoint = nil
	}
	return d
}

// ForClients returns the links by which clients connect over HTTP, below the address of the web server. There are none without TLS
// (XEP-0156 §5).
func ForClients(address string) []Link {
	rest, ok := strings.CutPrefix(address, "https://")
	if !ok {
		return nil
	}
	return []Link{{Rel: WebSocket, Href: "wss://" + rest + web.WebSocketPath}, {Rel: BOSH, Href: address + web.BOSHPath}}
}

// Documents are those of all hosts.
type Documents struct {
	byHost map[string][2][]byte // XML and JSON
	first  [2][]byte            // for a host that is not among them, as behind a proxy that does not say which one is meant
	// Below, which may be nil, returns the document of another domain, such as one below a host.
	Below func(domain string) (Document, bool)
}

// Add adds the document of a host. Call it before Routes.
func (d *Documents) Add(host string, doc Document) error {
	var texts [2][]byte
	for form := range texts {
		text, err := doc.text(form)
		if err != nil {
			return err
		}
		texts[form] = text
	}
	if d.byHost == nil {
		d.byHost, d.first = map[string][2][]byte{}, texts
	}
	d.byHost[host] = texts
	return nil
}

// Routes returns the routes.
func (d *Documents) Routes() []web.Route {
	return []web.Route{
		{Pattern: "GET " + path, Handler: d.handler(0, "application/xrd+xml; charset=utf-8")},
		{Pattern: "GET " + jsonPath, Handler: d.handler(1, "application/json")},
	}
}

func (d *Documents) handler(form int, kind string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		text, err := d.of(strings.ToLower(host), form)
		if err != nil {
			http.Error(w, "the document cannot be written", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Access-Control-Allow-Origin", "*") // XEP-0156 §3: for clients in browsers
		_, _ = w.Write(text)
	})
}

// of returns the document of a host in one of its forms.
func (d *Documents) of(host string, form int) ([]byte, error) {
	texts, ok := d.byHost[host]
	if !ok && d.Below != nil {
		if doc, found := d.Below(host); found {
			return doc.text(form)
		}
	}
	if !ok {
		texts = d.first
	}
	return texts[form], nil
}

// text returns the document in XML (0) or JSON (1).
func (d Document) text(form int) ([]byte, error) {
	if form == 1 {
		return json.Marshal(d)
	}
	text, err := xml.Marshal(d.inXML())
	return append([]byte(xml.Header), text...), err
}

// Specs are the extensions that the package implements.
func Specs() []spec.Spec {
	return []spec.Spec{{Number: "0156", Title: "Discovering Alternative XMPP Connection Methods", Version: "1.4.0", State: spec.Complete, Note: "For hosts that clients reach by https."}}
}
