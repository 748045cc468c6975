@echo off
rem SPDX-License-Identifier: LGPL-2.1-or-later
rem Runs the programs of this folder and writes record.txt. Arguments: names of programs, or none
rem for all of them. See README.txt.
setlocal
cd /d "%~dp0"
if not exist statements.txt goto unpack
copy /y statements.txt record.txt >nul
if errorlevel 1 goto fail
set done=
if exist x64\conformance_record.exe x64\conformance_record.exe record.txt %* && set done=1
if exist x86\conformance_record.exe x86\conformance_record.exe record.txt %* && set done=1
if not defined done goto fail
echo The record is in %CD%\record.txt
exit /b 0

:unpack
echo Unpack the whole archive first, then run run.cmd from the folder.
exit /b 1

:fail
echo No record could be written.
exit /b 1
