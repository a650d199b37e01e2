package webapi

import (
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Reading an answer stops at maxAnswer bytes after decompression: a gzip body of a megabyte may expand to a gigabyte.
func TestCompressedAnswerIsBounded(t *testing.T) {
	t.Parallel()
	served := make(chan int64, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		n, _ := io.WriteString(z, `{"ok":true,"user":"`)
		total, block := int64(n), make([]byte, 1<<20)
		for i := range block {
			block[i] = 'a'
		}
		for total < 4*maxAnswer {
			n, err := z.Write(block)
			total += int64(n)
			if err != nil || z.Flush() != nil {
				break
			}
		}
		if total >= 4*maxAnswer {
			_, _ = io.WriteString(z, `"}`)
			_ = z.Close()
		}
		served <- total
	}))
	defer server.Close()
	client := &http.Client{Transport: Bounded(http.DefaultTransport.(*http.Transport).Clone())}
	var answer struct {
		User string `json:"user"`
	}
	_, err := New(client, server.URL+"/api/", "xoxb-1", slog.New(slog.DiscardHandler)).Call(t.Context(), "auth.test", nil, &answer)
	if err == nil {
		t.Fatalf("a name of %d bytes was accepted", len(answer.User))
	}
	server.CloseClientConnections()
	<-served
}
