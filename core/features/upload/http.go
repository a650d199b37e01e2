package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/dragoman-im/dragoman/core/blob"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/web"
)

// Path is where the files are on the HTTP server.
const Path = "/upload/"

// Routes returns the routes of the HTTP server.
func (u *Uploads) Routes() []web.Route {
	handle := func(pattern string, f http.HandlerFunc) web.Route {
		return web.Route{Pattern: pattern, Streams: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			web.SecureContent(w.Header())
			f(w, r)
		})}
	}
	const file = Path + "{id}/{name}"
	return []web.Route{
		handle("PUT "+file, u.put),
		handle("GET "+file, u.get), // and HEAD
		handle("OPTIONS "+file, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
	}
}

// refuse answers with a status. What failed inside is not told.
func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, text, status)
}

// put stores a file.
func (u *Uploads) put(w http.ResponseWriter, r *http.Request) {
	g, ok := readToken(u.Key, r.Header.Get("Authorization"), r.PathValue("id"), r.PathValue("name"), u.now())
	if !ok {
		refuse(w, http.StatusForbidden, "there is no such slot, or its time is over: request a new one")
		return
	}
	web.Known(r)
	typ, ok := g.typ, true
	if sent := r.Header.Get("Content-Type"); sent != "" {
		if typ, ok = parseType(sent); ok && g.typ != "" {
			ok = typ == g.typ // XEP-0363 §7
		}
	}
	switch {
	case r.ContentLength < 0:
		refuse(w, http.StatusLengthRequired, "Content-Length is missing")
	case r.ContentLength > g.size:
		refuse(w, http.StatusRequestEntityTooLarge, "the file is larger than its slot") // XEP-0363 §7
	case r.ContentLength < g.size:
		refuse(w, http.StatusBadRequest, "the file is smaller than its slot")
	case !ok:
		refuse(w, http.StatusUnsupportedMediaType, "the slot is for another Content-Type")
	default:
		// What is begun is finished, also where the client has gone: it may have sent all. EndWriters ends it.
		ctx, end := context.WithCancel(context.WithoutCancel(r.Context()))
		defer end()
		if !u.claim(g.id, end) {
			refuse(w, http.StatusConflict, "the file is being uploaded")
			return
		}
		defer u.release(g.id)
		u.store(ctx, w, r, typ)
	}
}

// store stores the body of a request whose slot is claimed. The account may be deleted meanwhile, which ends ctx.
func (u *Uploads) store(ctx context.Context, w http.ResponseWriter, r *http.Request, typ string) {
	f, err := u.Store.Upload(ctx, r.PathValue("id"))
	switch {
	case errors.Is(err, ErrNotFound):
		refuse(w, http.StatusNotFound, "there is no such slot: request a new one")
		return
	case err == nil && !f.Stored.IsZero():
		refuse(w, http.StatusConflict, "the file has been uploaded")
		return
	case err == nil:
		body, stop := web.Body(ctx, w, r)
		err = u.Files.Create(ctx, f.ID, f.Size, body)
		stop()
	}
	if err != nil {
		u.refuseError(w, &f, err)
		return
	}
	f.Type, f.Stored, f.Expires = typ, u.now(), f.Until
	if err := u.Store.StoreUpload(ctx, f); err != nil {
		if lost := u.Files.Delete(context.WithoutCancel(ctx), f.ID); lost != nil { // the janitor deletes it with its slot
			u.Log.Warn("file not deleted yet", "file", f.ID, "err", lost)
		}
		u.refuseError(w, &f, err)
		return
	}
	w.WriteHeader(http.StatusCreated)
}

// refuseError answers with the status for an error.
func (u *Uploads) refuseError(w http.ResponseWriter, f *File, err error) {
	switch {
	case errors.Is(err, blob.ErrContent):
		refuse(w, http.StatusBadRequest, "the file did not arrive as a whole")
	case errors.Is(err, context.Canceled): // the client has gone, the account is being removed, or the server stops
		refuse(w, http.StatusServiceUnavailable, "the request was ended")
	case errors.Is(err, ErrNotFound), errors.Is(err, fs.ErrNotExist):
		refuse(w, http.StatusNotFound, "there is no such file")
	case stanza.Temporary(err):
		u.Counters.Reserve.Add(1)
		u.Log.Warn("file not stored", "account", f.Account, "size", f.Size, "err", err)
		refuse(w, http.StatusInsufficientStorage, "there is no room at the moment, please try again later")
	default:
		u.Log.Error("file not stored or read", "account", f.Account, "err", err)
		refuse(w, http.StatusInternalServerError, "the server has a fault")
	}
}

// get serves a file, or a part of it.
func (u *Uploads) get(w http.ResponseWriter, r *http.Request) {
	f, err := u.find(r.Context(), r.PathValue("id"), r.PathValue("name"))
	if err != nil {
		u.refuseError(w, &f, err)
		return
	}
	web.Known(r)
	u.setHeader(w.Header(), &f)
	if to, ok := u.Files.(Redirector); ok && u.Redirect {
		address, err := to.URL(r.Context(), f.ID, w.Header())
		if err != nil {
			u.refuseError(w, &f, err)
			return
		}
		w.Header().Set("Cache-Control", "no-store") // the address is good for a short time
		http.Redirect(w, r, address, http.StatusTemporaryRedirect)
		return
	}
	content, err := u.Files.Open(r.Context(), f.ID)
	if err != nil {
		for _, name := range []string{"Content-Type", "Content-Disposition", "ETag"} {
			w.Header().Del(name)
		}
		u.refuseError(w, &f, err)
		return
	}
	defer content.Close()
	if strings.Contains(r.Header.Get("Range"), ",") {
		r.Header.Del("Range") // RFC 9110 §14.2: each of many small ranges would be a request to the storage
	}
	http.ServeContent(web.Writer(w, r), r, "", f.Stored, content)
}

// Content is an open file.
type Content struct {
	io.ReadSeekCloser
	File
}

// Open opens a file by its address behind Path, for other parts of this server.
func (u *Uploads) Open(ctx context.Context, address string) (*Content, error) {
	id, escaped, _ := strings.Cut(address, "/")
	name, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, ErrNotFound
	}
	f, err := u.find(ctx, id, name)
	if err != nil {
		return nil, err
	}
	content, err := u.Files.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	return &Content{content, f}, nil
}

// find returns the file that a request is for. Its name has to be that of the slot, so that no link shows another one.
func (u *Uploads) find(ctx context.Context, id, name string) (File, error) {
	if blob.CheckID(id) != nil {
		return File{}, ErrNotFound
	}
	f, err := u.Store.Upload(ctx, id)
	if err != nil {
		return File{}, fmt.Errorf("find file: %w", err)
	}
	if f.Name == name && f.Stored.IsZero() && u.Direct != nil {
		if err := u.settle(ctx, &f, u.now()); err != nil {
			return File{}, err
		}
	}
	if f.Name != name || f.Stored.IsZero() || f.over(u.now(), u.limits.Load().Quota.Keep) {
		return File{}, ErrNotFound
	}
	return f, nil
}
