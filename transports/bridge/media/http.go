package media

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/blob"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/web"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// maxAge is how long files may be in the caches of clients: they never change, but they go with their messages.
const maxAge = 24 * time.Hour

// retryAfter is when a client may ask again, in seconds.
const retryAfter = "30"

// Routes returns the routes of the HTTP server.
func (s *Service) Routes() []web.Route {
	handle := func(pattern string, f http.HandlerFunc) web.Route {
		return web.Route{Pattern: pattern, Streams: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			web.SecureContent(w.Header())
			w.Header().Set("Access-Control-Allow-Methods", "OPTIONS, HEAD, GET")
			f(w, r)
		})}
	}
	const file = Path + "{id}/{name}"
	return []web.Route{
		handle("GET "+file, s.get), // and HEAD
		handle("OPTIONS "+file, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
	}
}

// get serves a file, or a part of it.
func (s *Service) get(w http.ResponseWriter, r *http.Request) {
	m, err := s.find(r)
	if err != nil {
		s.refuse(w, m, err)
		return
	}
	web.Known(r)
	if r.Method == http.MethodHead && m.Size > 0 { // nothing is fetched for it
		setHeader(w.Header(), m)
		w.Header().Set("Content-Length", strconv.FormatInt(m.Size, 10))
		w.Header().Set("Accept-Ranges", "bytes")
		return
	}
	content, err := s.Open(r.Context(), m, web.Client(r))
	if err != nil {
		s.refuse(w, m, err)
		return
	}
	defer content.Close()
	if strings.Contains(r.Header.Get("Range"), ",") {
		r.Header.Del("Range") // RFC 9110 §14.2: many small ranges cost more than the file
	}
	setHeader(w.Header(), m)
	http.ServeContent(web.Writer(w, r), r, "", m.At, content)
}

// find finds the file that a request is for. Its name has to be the one in the address that was given out.
func (s *Service) find(r *http.Request) (tables.Media, error) {
	id := r.PathValue("id")
	if blob.CheckID(id) != nil {
		return tables.Media{}, errGone
	}
	m, ok, err := s.Rows.Media(r.Context(), id)
	if err != nil {
		return m, err
	}
	if !ok {
		s.Cache.drop(id)
	}
	if !ok || m.Name != r.PathValue("name") { // whoever asks for another name must not cost the others another reading
		return tables.Media{}, errGone
	}
	return m, nil
}

// errGone is of a file that is not there, or no longer.
var errGone = transports.Refuse("item-not-found", "there is no such file", nil)

// setHeader sets the header of a file's content.
func setHeader(h http.Header, m tables.Media) {
	typ, inline := web.ContentType(m.Type)
	disposition := "attachment"
	if inline {
		disposition = "inline"
	}
	h.Set("Content-Type", typ)
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": m.Name}))
	h.Set("Cache-Control", "private, max-age="+strconv.Itoa(int(maxAge.Seconds())))
	h.Set("ETag", `"`+m.ID+`"`)
}

// refuse answers with the status for an error. What failed inside is not reported.
func (s *Service) refuse(w http.ResponseWriter, m tables.Media, err error) {
	status, text := http.StatusBadGateway, "the network does not give the file out"
	switch class := transports.ClassOf(err); {
	case errors.Is(err, context.Canceled): // the client has gone, or the gateway stops
		status, text = http.StatusServiceUnavailable, "the request was ended"
	case errors.Is(err, errAddressRate):
		status, text = http.StatusTooManyRequests, errAddressRate.Text
	case stanza.Temporary(err):
		s.Log.Warn("file of a network not kept", "gateway", m.Gateway, "size", m.Size, "err", err)
		status, text = http.StatusInsufficientStorage, "there is no room at the moment, please try again later"
	case class == transports.Refused:
		status, text = http.StatusNotFound, "there is no such file, or no longer"
	case class == transports.Retry, class == transports.NeedLogin:
		status, text = http.StatusServiceUnavailable, "the network cannot be asked for the file now, please try again later"
	default:
		s.Log.Warn("file of a network not served", "gateway", m.Gateway, "err", err)
	}
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, text, status)
}
