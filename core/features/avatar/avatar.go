package avatar

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Nodes and namespaces of XEP-0084, XEP-0153 and XEP-0398.
const (
	nodeData     = "urn:xmpp:avatar:data"
	nodeMetadata = "urn:xmpp:avatar:metadata"
	nsConversion = "urn:xmpp:pep-vcard-conversion:0"
	nsUpdate     = "vcard-temp:x:update"
	nsVCard      = "vcard-temp"
)

// Nodes are the nodes of accounts, as pubsub.Engine has them.
type Nodes interface {
	Read(ctx context.Context, q pubsub.Reading) (items []pubsub.Item, found bool, err error)
	Publish(ctx context.Context, p pubsub.Publish) error
	PublishWithin(ctx context.Context, p pubsub.Publish) error
}

// Presence sends the presence of an account's sessions again, as presence.Presence does.
type Presence interface {
	Renew(ctx context.Context, account jid.JID, route func(*stanza.Stanza), renew func(before *stanza.Stanza) (kept, sent *stanza.Stanza))
}

// Avatars converts the avatars of one host's accounts.
type Avatars struct {
	nodes    Nodes
	presence Presence
}

// New returns the feature.
func New(n Nodes, p Presence) *Avatars { return &Avatars{n, p} }

// Feature declares the feature.
func (a *Avatars) Feature() router.Feature {
	return router.Feature{
		Name:         "avatar",
		Stages:       []router.Stage{{Name: "avatar", Position: router.Clean, Outbound: a.sent}},
		AccountDisco: router.Disco{Info: disco.Info{Features: []string{nsConversion}}}, // XEP-0398 §2
		Specs: []spec.Spec{
			{Number: "0084", Title: "User Avatar", Version: "1.1.4", State: spec.Complete, Note: "Server."},
			{Number: "0398", Title: "User Avatar to vCard-Based Avatars Conversion", Version: "1.0.0", State: spec.Complete, Note: "Server."},
		},
	}
}

// sent adds the hash of the avatar to available presence (XEP-0398 §4).
func (a *Avatars) sent(ctx context.Context, p *router.Pass) error {
	st := p.Stanza
	if st.Kind != stanza.Presence || st.Type != "" || p.Session == nil {
		return nil
	}
	update := false
	if st.MayHave(nsUpdate, "x") {
		x := st.Child(nsUpdate, "x")
		if x.Child(nsUpdate, "photo") != nil { // the client knows better, or has no avatar to show
			return nil
		}
		update = x != nil
	}
	info, err := a.info(ctx, pubsub.Reading{Service: p.Account.JID(), Reader: p.Account.JID(), Shared: true})
	if err != nil {
		_ = p.Host.LogError(err, "avatar not read") // a presence without the hash is better than none
	}
	if err != nil || info == nil {
		return nil
	}
	if update {
		st = st.Without(func(e *stanza.Element) bool { return e.Is(nsUpdate, "x") })
	}
	photo := stanza.TextElement(nsUpdate, "photo", info.Attr("id"))
	p.Stanza = st.With(stanza.NewElement(nsUpdate, "x").Add(photo))
	return nil
}

// info returns the description of an account's avatar for a reader, nil if there is none. Of several it is one whose data is
// in the node (XEP-0398 §3.1).
func (a *Avatars) info(ctx context.Context, q pubsub.Reading) (*stanza.Element, error) {
	q.Node, q.Count = nodeMetadata, 1
	items, _, err := a.nodes.Read(ctx, q)
	if err != nil || len(items) == 0 {
		return nil, err
	}
	metadata, err := stanza.ParseElement(items[0].Payload, "")
	if err != nil {
		return nil, fmt.Errorf("read avatar of %s: %w", q.Service, err)
	}
	for i := range metadata.Named(nodeMetadata, "info") {
		if i.Attr("url") == "" && isHash(i.Attr("id")) {
			return i, nil
		}
	}
	return nil, nil
}

func isHash(id string) bool {
	_, err := hex.DecodeString(id)
	return err == nil && len(id) == 2*sha1.Size
}

// Photo returns the photo of an account's vCard for a reader, nil if the account has no avatar or the reader may not see
// it. It implements vcard.Photos.
func (a *Avatars) Photo(ctx context.Context, account, reader jid.JID) (*stanza.Element, error) {
	info, err := a.info(ctx, pubsub.Reading{Service: account, Reader: reader})
	if err != nil || info == nil {
		return nil, err
	}
	items, _, err := a.nodes.Read(ctx, pubsub.Reading{Service: account, Node: nodeData, Reader: reader, ID: info.Attr("id")})
	if err != nil || len(items) == 0 {
		return nil, err
	}
	data, err := stanza.ParseElement(items[0].Payload, "")
	if err != nil {
		return nil, fmt.Errorf("read avatar of %s: %w", account, err)
	}
	image, err := decode(data.Text())
	if err != nil || hash(image) != info.Attr("id") { // XEP-0398 §3.1
		return nil, nil
	}
	return stanza.NewElement(nsVCard, "PHOTO").Add(
		stanza.TextElement(nsVCard, "TYPE", info.Attr("type")),
		stanza.TextElement(nsVCard, "BINVAL", base64.StdEncoding.EncodeToString(image))), nil
}

// decode reads base64 with line breaks.
func decode(text string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
}

func hash(image []byte) string {
	sum := sha1.Sum(image)
	return hex.EncodeToString(sum[:])
}

// SetPhoto publishes the photo of a vCard as the account's avatar, for everybody, as a vCard is (XEP-0398 §3.2). It
// reports whether it is one now, so that the vCard need not keep it. It implements vcard.Photos.
func (a *Avatars) SetPhoto(ctx context.Context, account jid.JID, photo *stanza.Element, route func(*stanza.Stanza)) (bool, error) {
	return a.setPhoto(ctx, account, photo, func(ctx context.Context, p pubsub.Publish) error {
		p.Route = route
		return a.nodes.Publish(ctx, p)
	})
}

// SetPhotoWithin is SetPhoto for pubsub.Options.Committed.
func (a *Avatars) SetPhotoWithin(ctx context.Context, account jid.JID, photo *stanza.Element, route func(*stanza.Stanza)) (bool, error) {
	return a.setPhoto(ctx, account, photo, func(ctx context.Context, p pubsub.Publish) error {
		p.Route = route
		return a.nodes.PublishWithin(ctx, p)
	})
}

func (a *Avatars) setPhoto(ctx context.Context, account jid.JID, photo *stanza.Element, publishItem func(context.Context, pubsub.Publish) error) (bool, error) {
	image, err := decode(photo.ChildText(nsVCard, "BINVAL"))
	typ := photo.ChildText(nsVCard, "TYPE")
	if err != nil || len(image) == 0 || !strings.HasPrefix(typ, "image/") {
		return false, nil
	}
	id := hash(image)
	if info, err := a.info(ctx, pubsub.Reading{Service: account, Reader: account}); err != nil || info != nil && info.Attr("id") == id {
		return err == nil, err // the client gives back what it was given
	}
	c := pubsub.AccountDefaults()
	c.Access = pubsub.Open
	publish := func(node string, payload *stanza.Element) error {
		return publishItem(ctx, pubsub.Publish{
			Service: account, Node: node, Config: c, Item: pubsub.Item{ID: id, Payload: payload.String(), At: time.Now()},
		})
	}
	if err := publish(nodeData, stanza.TextElement(nodeData, "data", base64.StdEncoding.EncodeToString(image))); err != nil {
		return false, err
	}
	info := stanza.NewElement(nodeMetadata, "info").With("id", id).With("type", typ).With("bytes", strconv.Itoa(len(image)))
	return true, publish(nodeMetadata, stanza.NewElement(nodeMetadata, "metadata").Add(info))
}
