package upload

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of XEP-0363.
const (
	NS        = "urn:xmpp:http:upload:0"
	nsPurpose = "urn:xmpp:http:upload:purpose:0"
)

// Name is the name of the service in service discovery.
const Name = "HTTP File Upload"

// Service gives slots to the accounts of one host, at a domain below it.
type Service struct {
	uploads *Uploads
	host    jid.JID
	base    string // of all addresses of files, without a slash at the end
}

// NewService returns the service of a host. base is the public address of the HTTP server.
func NewService(u *Uploads, host jid.JID, base string) *Service { return &Service{u, host, base} }

// Specs are the specifications that this package implements.
func Specs() []spec.Spec {
	return []spec.Spec{{
		Number: "0363", Title: "HTTP File Upload", Version: "1.2.0", State: spec.Complete,
		Note: "Server, at the domain upload. and the host. Purposes message, profile and ephemeral; permanent, which is optional, is not offered.",
	}}
}

// Identity is that of the service's domain (XEP-0363 §3).
func Identity() disco.Identity { return disco.Identity{Category: "store", Type: "file", Name: Name} }

// Feature declares the feature of the service's domain.
func (s *Service) Feature() router.Feature {
	info := disco.Info{Features: []string{NS}}
	for _, p := range []Purpose{Message, Profile, Ephemeral} {
		info.Features = append(info.Features, nsPurpose+"#"+string(p))
	}
	return router.Feature{
		Name: "upload", HostIQ: map[string]router.IQHandler{NS: s.iq}, HostDisco: router.Disco{Info: info, Source: s},
	}
}

// DiscoInfo implements disco.Source: the largest size may change (XEP-0363 §3).
func (s *Service) DiscoInfo(_ context.Context, q disco.Query) (disco.Info, error) {
	if q.Node != "" {
		return disco.Info{}, stanza.ItemNotFound("")
	}
	size := strconv.FormatInt(s.uploads.limits.Load().Size, 10)
	return disco.Info{Forms: []*form.Form{form.New(form.Result, NS, "").Add(form.Field{Var: "max-file-size", Values: []string{size}})}}, nil
}

// DiscoItems implements disco.Source: there are none.
func (s *Service) DiscoItems(context.Context, disco.Query) ([]disco.Item, error) {
	return nil, stanza.ItemNotFound("")
}

// iq gives a slot.
func (s *Service) iq(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	from := q.Stanza.From
	switch {
	case q.Payload.Local != "request" || q.Stanza.Type != stanza.TypeGet:
		return nil, stanza.BadRequest("")
	case q.Session == nil && q.By.IsZero() || from.Domain() != s.host.Domain():
		return nil, stanza.Forbidden("only accounts of " + s.host.String() + " may upload files here") // XEP-0363 §6
	}
	f, err := s.read(q.Payload)
	if err != nil {
		return nil, err
	}
	f.Account = from.Bare()
	return s.slot(ctx, f, q.Payload.Attr("content-type"))
}

// read reads the request for a slot (XEP-0363 §4, §5).
func (s *Service) read(request *stanza.Element) (File, error) {
	f := File{ID: newID(), Name: cleanName(request.Attr("filename")), Created: s.uploads.now()}
	f.Expires = f.Created.Add(slotTime)
	var err error
	if f.Size, err = strconv.ParseInt(request.Attr("size"), 10, 64); err != nil || f.Size <= 0 {
		return File{}, stanza.BadRequest("the size is a number of bytes")
	}
	if f.Name == "" {
		return File{}, stanza.BadRequest("the file has no name")
	}
	if typ := request.Attr("content-type"); typ != "" {
		var ok bool
		if f.Type, ok = parseType(typ); !ok {
			return File{}, stanza.BadRequest("the content-type is none")
		}
	}
	if err := readPurpose(&f, request); err != nil {
		return File{}, err
	}
	limit, setting := s.uploads.limits.Load().sizeLimit(f.Purpose)
	if f.Size > limit {
		s.uploads.Counters.count(setting)
		return File{}, tooLarge(limit)
	}
	return f, nil
}

// readPurpose sets the purpose, and the time until which an ephemeral file is wanted (XEP-0363 §5.3).
func readPurpose(f *File, request *stanza.Element) error {
	f.Purpose = Message
	for e := range request.Elements() {
		if e.Space != nsPurpose {
			continue
		}
		switch f.Purpose = Purpose(e.Local); f.Purpose {
		case Message, Profile:
		case Ephemeral:
			until, err := time.Parse(time.RFC3339, e.Attr("expire-before")) // XEP-0082
			if err != nil || !until.After(f.Created) {
				return stanza.BadRequest("expire-before is a time in the future")
			}
			f.Until = until
		default:
			return stanza.FeatureNotImplemented("this purpose is not supported")
		}
	}
	return nil
}

// tooLarge is the error of XEP-0363 §6.
func tooLarge(limit int64) *stanza.Error {
	e := stanza.NotAcceptable(fmt.Sprintf("File too large. The maximum file size is %d bytes", limit))
	e.App = stanza.NewElement(NS, "file-too-large").Add(stanza.TextElement(NS, "max-file-size", strconv.FormatInt(limit, 10)))
	return e
}

// slot adds the file to the store and returns the addresses. typ is the content-type of the request as it was written.
func (s *Service) slot(ctx context.Context, f File, typ string) (*stanza.Element, error) {
	u := s.uploads
	direct := u.direct.on.Load()
	if direct {
		f.Expires = f.Expires.Add(directTime)
	}
	limits := u.limits.Load()
	if err := u.Files.Room(f.Size); err != nil {
		if stanza.Temporary(err) {
			u.Counters.Reserve.Add(1)
			u.Log.Warn("no room for uploads", "err", err)
		}
		return nil, err
	}
	err := u.Store.AddUpload(ctx, f, limits.quota(f.Purpose))
	var over *Exceeded
	if errors.As(err, &over) {
		u.Counters.count(over.Setting)
		return nil, overQuota(over)
	}
	if err != nil {
		return nil, fmt.Errorf("add upload of %s: %w", f.Account, err)
	}
	address := s.base + Path + f.ID + "/" + url.PathEscape(f.Name)
	get := stanza.NewElement(NS, "get").With("url", address)
	if direct {
		to, err := u.Direct.PutURL(ctx, f.ID, f.Size, typ, slotTime)
		if err != nil {
			return nil, fmt.Errorf("sign address for %s: %w", f.Account, err)
		}
		return stanza.NewElement(NS, "slot").Add(stanza.NewElement(NS, "put").With("url", to), get), nil
	}
	g := grant{id: f.ID, name: f.Name, typ: f.Type, size: f.Size, until: f.Created.Add(slotTime).Unix()}
	return stanza.NewElement(NS, "slot").Add(
		stanza.NewElement(NS, "put").With("url", address).Add(stanza.TextElement(NS, "header", g.token(u.Key)).With("name", "Authorization")),
		get,
	), nil
}

// overQuota is the error of XEP-0363 §6.
func overQuota(over *Exceeded) *stanza.Error {
	text := "You have uploaded too much. Please try again later."
	if over.Retry.IsZero() {
		text = "You have too many files of this kind."
	}
	e := stanza.ResourceConstraint(text)
	if !over.Retry.IsZero() {
		e.App = stanza.NewElement(NS, "retry").With("stamp", over.Retry.UTC().Format(time.RFC3339))
	}
	return e
}
