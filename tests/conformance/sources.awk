# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Who says so: for C files of tests, lines "source FILE FROM TO TAG" (between tabs) with the source
# that the comments name for the lines FROM to TO. A comment with a tag in brackets, or the word
# "ours", speaks for its own line or, alone on a line, for what follows up to an empty line; the
# comment above a function for the rest of the function. A comment that opens the file is no tag.

function flush() {
    if (current != "" && from && last >= from)
        printf "source\t%s\t%d\t%d\t%s\n", base, from, last, current
    from = 0
}

function set(tag) {
    if (tag == current) return
    flush()
    current = tag
}

# The tags in a text, with commas between them.
function tags(text, found, tag) {
    found = ""
    while (match(text, /\[(D|OS|H|W8|W8T|WM|CI|OBS|INF|K|RVA|SDK headers)([ ,][^]]*)?\]/)) {
        tag = substr(text, RSTART, RLENGTH)
        if (index(found, tag) == 0) found = found (found == "" ? "" : " ") tag
        text = substr(text, RSTART + RLENGTH)
    }
    if (found == "" && text ~ /(^|[^a-z])ours([^a-z_]|$)/) found = "ours"
    return found
}

# The part of a line that is comment; in_comment tells of one that goes on.
function comment_of(line, text, start, end) {
    text = ""
    alone = 1
    if (!in_comment && line !~ /^[ \t]*\/\*/) alone = 0
    while (line != "") {
        if (in_comment) {
            end = index(line, "*/")
            if (!end) return text " " line
            text = text " " substr(line, 1, end - 1)
            line = substr(line, end + 2)
            in_comment = 0
        } else {
            start = index(line, "/*")
            if (!start) break
            line = substr(line, start + 2)
            in_comment = 1
        }
    }
    return text
}

FNR == 1 {
    flush()
    base = FILENAME
    if (match(base, /[^\/]*\/[^\/]*$/)) base = substr(base, RSTART)
    in_comment = inside = 0
    current = above = function_tag = paragraph = comment = ""
}

{ was = in_comment; text = comment_of($0) }

# Between functions: the comment that stands right above.
!inside && /^\{/ { inside = 1; function_tag = above; paragraph = above = comment = ""; next }
!inside {
    if (text != "") {
        comment = (was ? comment : "") " " text
        above = tags(comment)
    } else if ($0 ~ /^[ \t]*$/ || $0 ~ /^}/) above = ""
    next
}
/^\}/ { flush(); current = ""; inside = 0; above = ""; next }

{
    if ($0 ~ /^[ \t]*$/) paragraph = ""
    if ($0 ~ /ours_only\(\)/ && function_tag == "") function_tag = "ours"
    own = ""
    if (text != "") {
        comment = (was ? comment : "") " " text
        if (alone) {
            if (tags(comment) != "") paragraph = tags(comment)
        } else own = tags(comment)
    }
    set(own != "" ? own : paragraph != "" ? paragraph : function_tag)
    if (!from) from = FNR
    last = FNR
}

END { flush() }
