package framing

// reason is the stable word for one kind of refused message. The words are
// label values of a metric: they may be added to, never renamed.
type reason string

// accepted is the absence of a reason to refuse.
const accepted reason = ""

// The request line.
const (
	emptyLine      reason = "empty_line"       // a third empty line before the request line
	badRequestLine reason = "bad_request_line" // not exactly method SP target SP version
	badVersion     reason = "bad_version"      // anything but HTTP/1.0 and HTTP/1.1
	http2Preface   reason = "http2_preface"    // PRI * HTTP/2.0
	badTarget      reason = "bad_target"       // not origin-, absolute-, authority- or asterisk-form as the method demands
	nulInPath      reason = "nul_in_path"      // %00 in the path
	overlongInPath reason = "overlong_in_path" // a character of the path in a longer form than UTF-8 has for it
)

// Any line of a head or a trailer section.
const (
	bareLF          reason = "bare_lf"
	bareCR          reason = "bare_cr"
	obsFold         reason = "obs_fold"
	badHeaderName   reason = "bad_header_name"
	spaceColon      reason = "space_before_colon"
	nulInHeader     reason = "nul_in_header"
	controlInHeader reason = "control_in_header" // a control character other than NUL, CR and HTAB
	headTooLarge    reason = "head_too_large"
	badTrailer      reason = "bad_trailer" // a trailer field that frames or routes, sent or announced
	trailerTooLarge reason = "trailer_too_large"
)

// What the fields of a head say together.
const (
	missingHost      reason = "missing_host"
	duplicateHost    reason = "duplicate_host"
	absoluteFormHost reason = "absolute_form_host" // the target's authority is not the Host field's value
	badLength        reason = "bad_content_length"
	duplicateLength  reason = "duplicate_content_length" // even when both say the same
	badEncoding      reason = "bad_transfer_encoding"    // anything but one "chunked"
	http10Chunked    reason = "http10_chunked"           // any Transfer-Encoding in HTTP/1.0
	lengthAndChunked reason = "cl_and_te"

	// Other codings before chunked, which can be understood, but not undone here:
	// the one reason with which the whole head is handed on, for net/http to answer 501.
	unsupportedEncoding reason = "unsupported_transfer_encoding"
)

// A chunked body.
const (
	chunkBareLF      reason = "chunk_bare_lf"
	badChunkSize     reason = "bad_chunk_size"
	badChunkExt      reason = "bad_chunk_extension"
	chunkLineTooLong reason = "chunk_line_too_long"
	badChunkEnd      reason = "bad_chunk_end"  // a chunk's data is not followed by CRLF
	chunkOverhead    reason = "chunk_overhead" // chunk-size lines far longer than the data
)

// Reasons lists every word that Limits.Observer can be called with, so that a
// metric can have all its label values from the start.
func Reasons() []string {
	all := []reason{
		emptyLine, badRequestLine, badVersion, http2Preface, badTarget, nulInPath, overlongInPath,
		bareLF, bareCR, obsFold, badHeaderName, spaceColon, nulInHeader, controlInHeader,
		headTooLarge, badTrailer, trailerTooLarge,
		missingHost, duplicateHost, absoluteFormHost, badLength, duplicateLength,
		badEncoding, unsupportedEncoding, http10Chunked, lengthAndChunked,
		chunkBareLF, badChunkSize, badChunkExt, chunkLineTooLong, chunkOverhead, badChunkEnd,
	}
	words := make([]string, len(all))
	for i, why := range all {
		words[i] = string(why)
	}
	return words
}
