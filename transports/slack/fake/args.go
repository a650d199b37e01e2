package fake

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// args are the arguments of a call, however they came: in the query, as a form or as JSON.
type args struct {
	form url.Values
	json map[string]any // not nil for a JSON body
}

func readArgs(w http.ResponseWriter, r *http.Request) (*args, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	ct, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method == http.MethodPost && ct == "application/json" {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, refuse("request_timeout")
		}
		a := &args{form: r.URL.Query(), json: map[string]any{}}
		if len(strings.TrimSpace(string(b))) == 0 {
			return a, nil
		}
		var v any
		if json.Unmarshal(b, &v) != nil {
			return nil, refuse("invalid_json")
		}
		m, ok := v.(map[string]any)
		if !ok {
			return nil, refuse("json_not_object")
		}
		a.json = m
		return a, nil
	}
	var err error
	if ct == "multipart/form-data" {
		err = r.ParseMultipartForm(maxBody)
	} else {
		err = r.ParseForm()
	}
	if err != nil {
		return nil, refuse("invalid_form_data")
	}
	return &args{form: r.Form}, nil
}

// raw is what the check sees.
func (a *args) raw() any {
	if a.json != nil {
		return a.json
	}
	return a.form
}

func (a *args) str(name string) string {
	switch v := a.json[name].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return a.form.Get(name)
}

// flag is a boolean argument, or def when absent.
func (a *args) flag(name string, def bool) bool {
	switch a.str(name) {
	case "true", "1":
		return true
	case "false", "0":
		return false
	}
	return def
}

// num is a number argument, or def when absent or not a number.
func (a *args) num(name string, def int) int {
	n, err := strconv.Atoi(a.str(name))
	if err != nil {
		return def
	}
	return n
}

// value is an argument that is JSON itself: an object or array, in a form as text.
func (a *args) value(name string) (any, bool) {
	if v, ok := a.json[name]; ok {
		if s, isText := v.(string); isText {
			return decode(s)
		}
		return v, true
	}
	return decode(a.form.Get(name))
}

func decode(s string) (any, bool) {
	var v any
	if s == "" || json.Unmarshal([]byte(s), &v) != nil {
		return nil, false
	}
	return v, true
}

func (a *args) array(name string) ([]any, bool) {
	v, ok := a.value(name)
	if !ok {
		return nil, false
	}
	list, ok := v.([]any)
	return list, ok
}

// list is an argument of names with commas between.
func (a *args) list(name string) []string {
	if v, ok := a.json[name].([]any); ok {
		var out []string
		for _, x := range v {
			if s, ok := x.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	var out []string
	for _, s := range strings.Split(a.str(name), ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}
