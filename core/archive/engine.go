package archive

import (
	"context"
	"errors"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces and features.
const (
	NS         = "urn:xmpp:mam:2"
	Extended   = "urn:xmpp:mam:2#extended"
	nsForward  = "urn:xmpp:forward:0"  // XEP-0297
	nsFullText = "urn:xmpp:fulltext:0" // XEP-0431
	groupField = "urn:xmpp:mam:2#groupchat-field"
	groupStore = "urn:xmpp:mam:2#groupchat-available"
)

// Sizes of a page and bounds of a request.
const (
	defaultPage = 50
	maxPage     = 100
	maxIDs      = maxPage
	maxQueryID  = 256 // bytes
	maxContacts = 1000
	// pageBytes is the size of the stanzas after which a page ends: it must fit into the client's queue, however
	// slowly the client reads.
	pageBytes = 256 << 10
)

// Options is what an Engine is made of.
type Options struct {
	Store Store
	// PageSize is how many entries a page has that the client has not sized, and MaxPage how many it may
	// ask for; 0 is 50 and 100.
	PageSize, MaxPage int
	// Groupchat says that the archives of accounts hold groupchat messages too.
	Groupchat bool
	// Search says that the Store understands Filter.Words.
	Search bool
	// Rewrite changes an entry for the requester, for example to remove a real address; nil changes
	// nothing. If it returns nil, the result has no message.
	Rewrite func(r Request, e Entry) *stanza.Stanza
}

// Engine answers queries.
type Engine struct{ opts Options }

// New returns an engine.
func New(opts Options) *Engine {
	if opts.PageSize <= 0 {
		opts.PageSize = defaultPage
	}
	if opts.MaxPage <= 0 {
		opts.MaxPage = maxPage
	}
	opts.PageSize = min(opts.PageSize, opts.MaxPage)
	return &Engine{opts}
}

// Request is a query whose sender may read the archive: the caller has checked that.
type Request struct {
	Archive jid.JID        // bare JID
	IQ      *stanza.Stanza // from and to are those of the results, swapped
	Room    bool           // the archive is a room's
	// SeesJIDs says that who asks may know the real addresses of a room's occupants;
	// without it With can only be a room/nick (XEP-0313 §4.1.1).
	SeesJIDs bool
	// Sent, if not nil, is called with the id of each result that was sent with its message.
	Sent func(id string)
}

// Features returns the features that an archive advertises (XEP-0313 §7).
func (e *Engine) Features(room bool) []string {
	list := []string{NS, Extended, paging.NS}
	if e.opts.Search {
		list = append(list, nsFullText) // XEP-0431 §2.1
	}
	if !room {
		list = append(list, groupField)
		if e.opts.Groupchat {
			list = append(list, groupStore)
		}
	}
	return list
}

// Handle answers an IQ whose payload is in NS. Results go to send, in order, before
// Handle returns what the IQ result holds.
func (e *Engine) Handle(ctx context.Context, r Request, send func(*stanza.Stanza)) (*stanza.Element, error) {
	x := r.IQ.FirstChild()
	if x == nil || x.Space != NS {
		return nil, stanza.FeatureNotImplemented("")
	}
	get := r.IQ.Type == stanza.TypeGet
	switch {
	case x.Local == "query" && get:
		return stanza.NewElement(NS, "query").Add(e.form(r.Room).Element()), nil // XEP-0313 §4.1.5
	case x.Local == "query" && r.IQ.Type == stanza.TypeSet:
		return e.query(ctx, r, x, send)
	case x.Local == "metadata" && get:
		return e.metadata(ctx, r)
	case x.Local == "prefs":
		return e.prefs(ctx, r, x)
	}
	return nil, stanza.FeatureNotImplemented("")
}

func (e *Engine) query(ctx context.Context, r Request, x *stanza.Element, send func(*stanza.Stanza)) (*stanza.Element, error) {
	queryID := x.Attr("queryid")
	if len(queryID) > maxQueryID {
		return nil, stanza.BadRequest("This query id is too long.")
	}
	filter, err := e.filter(r, x)
	if err != nil {
		return nil, err
	}
	page, err := e.page(x)
	if err != nil {
		return nil, err
	}
	result, err := e.opts.Store.Query(ctx, r.Archive, filter, page)
	switch {
	case errors.Is(err, ErrNoEntry): // XEP-0313 §4.1.3, §4.3.2
		return nil, stanza.ItemNotFound("There is no such message in the archive.")
	case err != nil:
		return nil, err
	}
	if len(result.Entries) > page.Max { // the client requests the rest with the next page
		result.Complete, result.Reached = false, ""
		if page.Backwards {
			result.Entries = result.Entries[len(result.Entries)-page.Max:]
		} else {
			result.Entries = result.Entries[:page.Max]
		}
	}
	limitBytes(&result, page)
	entries := result.Entries
	if x.Child(NS, "flip-page") != nil { // XEP-0313 §4.3.4
		entries = slices.Clone(entries)
		slices.Reverse(entries)
	}
	for _, entry := range entries {
		send(e.message(r, entry, queryID))
		if r.Sent != nil && entry.Stanza != nil {
			r.Sent(entry.ID)
		}
	}
	return fin(result, page.Backwards), nil
}

// limitBytes applies Page.Bytes.
func limitBytes(r *Result, page Page) {
	size, n := 0, 0
	for n < len(r.Entries) && size < page.Bytes {
		e := r.Entries[n]
		if page.Backwards {
			e = r.Entries[len(r.Entries)-1-n]
		}
		size += e.size()
		n++
	}
	if n == len(r.Entries) {
		return
	}
	r.Complete, r.Reached = false, ""
	if !page.Backwards {
		r.Entries = r.Entries[:n]
		return
	}
	if r.Index != paging.Unknown {
		r.Index += len(r.Entries) - n
	}
	r.Entries = r.Entries[len(r.Entries)-n:]
}

// page reads the requested page and applies the limits (XEP-0313 §4.3.1).
func (e *Engine) page(x *stanza.Element) (Page, error) {
	request, _, err := paging.Parse(x)
	if err != nil {
		return Page{}, err
	}
	if request.Index >= 0 { // XEP-0059 §2.6
		return Page{}, stanza.FeatureNotImplemented("An archive is paged by ids.")
	}
	request = request.Limit(e.opts.PageSize, e.opts.MaxPage)
	return Page{
		Max: request.Max, Bytes: pageBytes, After: request.After, Before: request.Before, Backwards: request.Backwards(),
	}, nil
}

// fin returns the payload of the final IQ result (XEP-0313 §4.3.2). Where the Store has stopped among entries that do not match,
// the page is bounded by the one that it has reached, so that the client can go on there.
func fin(r Result, backwards bool) *stanza.Element {
	x := stanza.NewElement(NS, "fin")
	if r.Complete {
		x.With("complete", "true")
	}
	if r.Unstable {
		x.With("stable", "false")
	}
	answer := paging.Answer{Index: paging.Unknown, Count: r.Count, First: r.Reached, Last: r.Reached}
	if n := len(r.Entries); n > 0 {
		if r.Reached == "" || !backwards {
			answer.First = r.Entries[0].ID
		}
		if r.Reached == "" || backwards {
			answer.Last = r.Entries[n-1].ID
		}
		if answer.First == r.Entries[0].ID {
			answer.Index = r.Index
		}
	}
	return x.Add(answer.Element())
}

// Metadata returns the first and the last entry of an archive, as a client gets it that binds a session (XEP-0386 §4.2).
func (e *Engine) Metadata(ctx context.Context, archive jid.JID) (*stanza.Element, error) {
	return e.metadata(ctx, Request{Archive: archive})
}

// metadata returns the first and the last entry of the archive (XEP-0313 §5).
func (e *Engine) metadata(ctx context.Context, r Request) (*stanza.Element, error) {
	first, last, err := e.opts.Store.Ends(ctx, r.Archive)
	if err != nil {
		return nil, err
	}
	x := stanza.NewElement(NS, "metadata")
	if first.ID == "" || last.ID == "" {
		return x, nil
	}
	return x.Add(
		stanza.NewElement(NS, "start").With("id", first.ID).With("timestamp", stamp(first.At)),
		stanza.NewElement(NS, "end").With("id", last.ID).With("timestamp", stamp(last.At)),
	), nil
}
