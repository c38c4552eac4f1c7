package invisible_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestDocuments: whatever legacy takes on the ingestion route, it gets.
func TestDocuments(t *testing.T) {
	const doc = `{"doc_id":"doc-1","text":"Ada"}`
	var rows []row
	for name, body := range map[string]string{
		"JSON":                doc,
		"byte order mark":     "\xef\xbb\xbf" + doc,
		"NaN":                 `{"doc_id":"a","score":NaN}`,
		"integer doc_id":      `{"doc_id":7}`,
		"big integer doc_id":  `{"doc_id":123456789012345678901234567890}`,
		"null doc_id":         `{"doc_id":null}`,
		"empty doc_id":        `{"doc_id":""}`,
		"missing doc_id":      `{"text":"a"}`,
		"duplicate doc_id":    `{"doc_id":"a","doc_id":"b"}`,
		"case folded doc_id":  `{"doc_id":"a","DOC_ID":"b"}`,
		"doc_id of 600 bytes": `{"doc_id":"` + strings.Repeat("x", 600) + `"}`,
		"doc_id with NUL":     `{"doc_id":"a\u0000b"}`,
		"lone surrogate":      `{"doc_id":"\ud800"}`,
		"invalid UTF-8":       "{\"doc_id\":\"\xff\"}",
		"invalid UTF-8 aside": "{\"doc_id\":\"a\",\"text\":\"\xff\"}",
		"single quotes":       `{'doc_id':'a'}`,
		"comment":             `{"doc_id":"a"/* b */,}`,
		"no JSON":             "doc_id=1",
		"JSON and more":       doc + "\n" + "garbage",
		"blanks":              " \r\n\t" + doc + "  \r\n",
		"string":              `"doc"`,
		"array":               "[" + doc + "," + doc + "]",
		"NDJSON":              doc + "\n" + doc + "\n",
		"deep":                `{"doc_id":"deep","x":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + "}",
		"UTF-16":              utf16(doc),
		"NUL bytes":           "\x00\x01\x02",
		"one byte":            "x",
	} {
		rows = append(rows,
			row{name: name, client: asks(post(body, "Content-Type: application/json"))},
			row{name: name + " in chunks", client: asks(inChunks(body, "Content-Type: application/json")), may: []difference{buffered}})
	}
	rows = append(rows,
		row{name: "form", client: asks(post("doc_id=a&text=b", "Content-Type: application/x-www-form-urlencoded"))},
		row{name: "multipart", client: asks(post("--b\r\nContent-Disposition: form-data; name=\"doc_id\"\r\n\r\na\r\n--b--\r\n", "Content-Type: multipart/form-data; boundary=b"))},
		row{name: "no content type", client: asks(post(doc))},
		row{name: "XML", client: asks(post("<doc id='a'/>", "Content-Type: text/xml"))},
		row{name: "two content types", client: asks(post(doc, "Content-Type: application/json", "Content-Type: text/plain"))},
		row{name: "with a query", client: asks(request("POST", route+"?dry=1&x=%zz;y", doc))},
		row{name: "unknown coding", client: asks(post("\x01\x02", "Content-Encoding: x-lzma"))},
		row{name: "identity coding", client: asks(post(doc, "Content-Encoding: identity"))},
		row{name: "broken gzip", client: asks(post("\x1f\x8b\x08 not gzip", "Content-Encoding: gzip"))},
		row{name: "gzip bomb", client: asks(post(gzipped(strings.Repeat(" ", 64<<20)), "Content-Encoding: gzip"))},
	)
	for _, coding := range []string{"gzip", "deflate", "raw deflate", "br", "zstd", "gzip, br"} {
		for name, body := range map[string]string{"document": doc, "no document": "hello"} {
			rows = append(rows, row{name: name + " in " + coding, client: asks(post(coded(body, coding), "Content-Type: application/json", "Content-Encoding: "+strings.TrimPrefix(coding, "raw ")))})
		}
	}
	play(t, rows)
}

func inChunks(body string, lines ...string) string {
	var out strings.Builder
	out.WriteString(request("POST", route, "", append(lines, "Transfer-Encoding: chunked")...))
	for part := body; part != ""; {
		n := min(len(part), 64<<10)
		fmt.Fprintf(&out, "%x\r\n%s\r\n", n, part[:n])
		part = part[n:]
	}
	out.WriteString("0\r\n\r\n")
	return out.String()
}

func utf16(s string) string {
	out := "\xff\xfe"
	for _, c := range []byte(s) {
		out += string([]byte{c, 0})
	}
	return out
}
